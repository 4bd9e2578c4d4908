import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import ON_THE_STACK, SECTIONS
from bench.report import write_report
from bench.section import Part
from settings import ROOT


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_quick_run_writes_a_report_with_every_figure_of_both_contenders(tmp_path: Path) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "bench"),
            *("--quick", "--kinds", "mobile", "--attacks", "header", "--seconds", "1"),
            # All but what needs the core alone: the tests beside this one look at that.
            *("--sections", *ON_THE_STACK),
            "--out",
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=590,
    )
    assert ran.returncode == 0, ran.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    throughput, history = report["throughput"]["mobile"], report["history"]["mobile"]
    assert throughput["ratio"] == pytest.approx(throughput["orders_per_s"] / throughput["bare_orders_per_s"])
    assert 0 < throughput["p50_s"] <= throughput["p99_s"]
    assert 0 < throughput["bare_p50_s"] <= throughput["bare_p99_s"]
    assert history["events"] > history["bare_events"] > 0
    assert history["actions"] > history["bare_actions"] > 0
    assert set(report["growth"]) == {"10", "100", "in_flight"}
    assert all(report["growth"][size]["worker_cpu_s"] > 0 for size in ("10", "100"))
    assert all(0 < one["usual_change_s"] <= one["next_change_s"] for one in report["growth"]["in_flight"].values())
    assert all(one["events"] > 0 < one["verdict_s"] for one in report["changes"].values())
    waiting = report["waiting"]
    assert all(waiting[kind]["events"] > waiting[kind]["activities"] > 0 for kind in ("triple_play", "business_vpn"))
    assert all(
        waiting[kind]["bare_events"] > waiting[kind]["bare_activities"] > 0 for kind in ("triple_play", "business_vpn")
    )
    assert waiting["options_s"] > 0
    assert all(0 < report[asked]["p50_ms"] <= report[asked]["p99_ms"] for asked in ("preview", "options"))
    assert all(0 < asked["p50_ms"] <= asked["p95_ms"] for asked in report["register"]["sqlite"].values())
    assert set(report["attacks"]) == {"none", "header"}
    assert all(0 < one["probes"]["p50_ms"] <= one["probes"]["p99_ms"] for one in report["attacks"].values())
    assert report["attacks"]["header"]["answers"]
    assert [run["sections"] for run in report["runs"]] == [list(ON_THE_STACK)]
    assert report["runs"][0]["versions"]["temporalio"]
    text = (tmp_path / "report.md").read_text()
    assert all(
        part in text
        for part in (
            "## Orders per second",
            "## CPU",
            "## History",
            "## Growth",
            "## History of orders that wait",
            "## Previews",
            "## The register",
            "## Attacks",
            "## Profile",
        )
    )
    assert "--quick --kinds mobile --attacks header" in text


def test_what_is_not_measured_again_is_told_as_the_run_before_found_it(tmp_path: Path) -> None:
    growth = Part({"growth": {"10": 1}}, "## Growth")
    write_report(tmp_path, "first", {"growth": growth, "changes": Part({"changes": {"1": 1}}, "## Old")}, SECTIONS)
    waiting, changes = Part({"growth": {"in_flight": 2}}, "## Waiting"), Part({"changes": {"1": 2}}, "## New")
    for_people, for_programs = write_report(tmp_path, "then", {"in_flight": waiting, "changes": changes}, SECTIONS)
    report = json.loads(for_programs.read_text())
    assert report["growth"] == {"10": 1, "in_flight": 2}
    assert report["changes"] == {"1": 2}
    assert {run["command"]: run["sections"] for run in report["runs"]} == {
        "first": ["growth"],
        "then": ["changes", "in_flight"],
    }
    text = for_people.read_text()
    assert text.index("## Growth") < text.index("## New") < text.index("## Waiting")
    assert "## Old" not in text
