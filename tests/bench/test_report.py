import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import ON_THE_STACK
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
    assert all(0 < one["first_change_s"] <= one["recovery_s"] for one in report["growth"]["in_flight"].values())
    assert all(one["events"] > 0 < one["verdict_s"] for one in report["changes"].values())
    assert all(0 < report[asked]["p50_ms"] <= report[asked]["p99_ms"] for asked in ("preview", "options"))
    assert all(0 < asked["p50_ms"] <= asked["p95_ms"] for asked in report["register"]["sqlite"].values())
    assert set(report["attacks"]) == {"none", "header"}
    assert all(0 < one["probes"]["p50_ms"] <= one["probes"]["p99_ms"] for one in report["attacks"].values())
    assert report["attacks"]["header"]["answers"]
    assert report["versions"]["temporalio"]
    text = (tmp_path / "report.md").read_text()
    assert all(
        part in text
        for part in (
            "## Orders per second",
            "## CPU",
            "## History",
            "## Growth",
            "## Previews",
            "## The register",
            "## Attacks",
            "## Profile",
        )
    )
    assert "--quick --kinds mobile --attacks header" in text
