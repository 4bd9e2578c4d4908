"""What is found wrong with what people are asked to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orders.support.catalogs import SOUND, catalog_of, problems_of

MANUAL = """
  field:
    protocol: manual
    manual:
      group: field
      operations:
        visit: {title: "Visit at ${input.site}", outputs: {report: {required: true}}}
"""
VISIT = "silos/field/manual/operations/visit"
TEXT = SOUND.replace("  field: {protocol: tmf641, address: /field}\n", MANUAL.removeprefix("\n")).replace(
    'ports: "${port.port_id}"}\n', 'ports: "${port.port_id}"}\n        outputs: [report]\n'
)


def found(folder: Path, **changes: str | None) -> list[str]:
    return [problem.removeprefix("silos.field.") for problem in problems_of(folder, TEXT, **changes)]


def test_work_for_people_that_makes_sense_is_taken_without_an_address(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    silo = catalog_of(tmp_path, TEXT).silos["field"]
    assert (silo.address, silo.answers_at_once, silo.in_orders.manual) == ("", False, None)


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        (f"{VISIT}/title", "Visit at ${input.place}", "manual.operations.visit.title: ${input.place}: is no input of"),
        (f"{VISIT}/title", "Visit at ${site.id}", "manual.operations.visit.title: ${site.id}: is no input of"),
        (f"{VISIT}/title", "Visit at ${input}", "manual.operations.visit.title: has a ${ that is no reference"),
        (f"{VISIT}/title", "' Visit'", "manual.operations.visit.title: must be a line of plain text"),
        (
            f"{VISIT}/instructions",
            "${input.place}",
            "manual.operations.visit.instructions: ${input.place}: is no input",
        ),
        (f"{VISIT}/due", "PT0S", "manual.operations.visit.due: must be more than nothing"),
        (f"{VISIT}/outputs", "{}", "manual.operations.visit.outputs: installation/visit needs the output report"),
        (f"{VISIT}/outputs/report", "{}", "manual.operations.visit.outputs: installation/visit needs the output"),
        (f"{VISIT}/outputs/more", "{default: a}", "manual.operations.visit.outputs.more.default: has no effect"),
        (f"{VISIT}/outputs/more", "{pattern: '['}", "manual.operations.visit.outputs.more.pattern: is no regular"),
        ("silos/field/manual/operations", "{}", "manual.operations: there is no visit, which installation/visit"),
        ("silos/field/manual", None, "manual: is missing"),
        ("silos/field/protocol", "tmf641", "address: Field required"),
        ("silos/field/address", "/field", "address: has no effect"),
        ("silos/field/retry", "inspect", "retry: has no effect"),
        ("silos/field/fees", "visit", "fees: fees are billed by a system"),
        ("silos/network/manual", "{}", "silos.network.manual: has no effect"),
    ],
)
def test_what_is_wrong_with_work_for_people_is_named(
    path: str, content: str | None, problem: str, tmp_path: Path
) -> None:
    problems = found(tmp_path, **{path: content})
    assert any(each.startswith(problem) for each in problems), problems
