"""The pages about the house: their pictures are well formed, what they name is there, and their counts are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orders.read_model.states import ORDER_MOVES

ROOT = Path(__file__).parent.parent
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

PICTURE = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?<![\w./-])[a-z_]+(?:/[\w-]+)+\.py\b|(?<![\w./-])(?:worker|cli|settings)\.py\b")
ROOM = re.compile(r"`([a-z_]+(?:/[a-z_]+)*)/`")

PARTICIPANT = re.compile(r"participant (\w+)(?: as .+)?")
MESSAGE = re.compile(r"(\w+)(?:->>|-->>|->|-->)(\w+): .+")
OPENS = re.compile(r"(?:loop|alt|opt|par) .+")
NODE = re.compile(r"(\w+)(?:\[\"[^\"]+\"\])?")
MOVE = re.compile(r"(\[\*\]|\w+) --> (\[\*\]|\w+)")


def faults_of_sequence(lines: list[str]) -> list[str]:
    """Lines that Mermaid cannot draw, messages of undeclared participants, blocks without an end."""
    declared: set[str] = set()
    faults: list[str] = []
    open_blocks: list[str] = []
    for line in lines:
        if found := PARTICIPANT.fullmatch(line):
            declared.add(found[1])
        elif found := MESSAGE.fullmatch(line):
            faults += [f"{name} is no participant" for name in found.groups() if name not in declared]
        elif OPENS.fullmatch(line):
            open_blocks.append(line.split()[0])
        elif line == "end" and open_blocks:
            open_blocks.pop()
        elif not (re.fullmatch(r"else( .+)?", line) and open_blocks[-1:] == ["alt"]):
            faults.append(f"not understood: {line}")
    return faults + [f"{block} has no end" for block in open_blocks]


def faults_of_flowchart(lines: list[str]) -> list[str]:
    """Lines that are no arrow between nodes, and nodes without a label anywhere."""
    labelled = {name for line in lines for name in re.findall(r"(\w+)\[\"", line)}
    faults: list[str] = []
    for line in lines:
        ends = [NODE.fullmatch(part) for part in line.split(" --> ")]
        names = [end[1] for end in ends if end is not None]
        if len(names) < len(ends):
            faults.append(f"not understood: {line}")
        faults += [f"{name} has no label" for name in names if name not in labelled]
    return faults


def faults_of_states(lines: list[str]) -> list[str]:
    """Lines that are no move."""
    return [f"not understood: {line}" for line in lines if not MOVE.fullmatch(line)]


KINDS = {
    "sequenceDiagram": faults_of_sequence,
    "flowchart TD": faults_of_flowchart,
    "stateDiagram-v2": faults_of_states,
}


def faults_of(picture: str) -> list[str]:
    """What is wrong with a picture."""
    kind, *lines = [line.strip() for line in picture.splitlines() if line.strip()]
    return KINDS[kind](lines) if kind in KINDS else [f"unknown kind of picture: {kind}"]


def missing(text: str) -> list[str]:
    """Files and folders of code that a text names and that are not there."""
    files = [name for name in FILE.findall(text) if not (ROOT / name).is_file()]
    rooms = [name for name in ROOM.findall(text) if not (ROOT / name).is_dir()]
    return files + rooms


def section(title: str) -> str:
    """A section of the architecture page."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_is_well_formed(page: Path) -> None:
    text = page.read_text()
    pictures = PICTURE.findall(text)
    assert len(pictures) == text.count("```mermaid")
    assert [fault for picture in pictures for fault in faults_of(picture)] == []


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        ("pie\n A: 1", "unknown kind of picture: pie"),
        ("sequenceDiagram\n participant A\n A->>B: hello", "B is no participant"),
        ("sequenceDiagram\n participant A\n loop on\n A->>A: hello", "loop has no end"),
        ("sequenceDiagram\n participant A\n A to A", "not understood: A to A"),
        ('flowchart TD\n a["A"] --> b', "b has no label"),
        ("stateDiagram-v2\n held -> done", "not understood: held -> done"),
    ],
)
def test_a_picture_that_is_not_well_formed_is_found(picture: str, fault: str) -> None:
    assert faults_of(picture) == [fault]


@pytest.mark.parametrize("page", [ROOT / "docs" / "architecture.md", *DECISIONS], ids=lambda page: page.name)
def test_every_file_and_folder_that_a_page_names_is_there(page: Path) -> None:
    assert missing(page.read_text()) == []


def test_a_file_or_folder_that_is_not_there_is_found() -> None:
    named = "`orders/gone.py`, `orders/lost/`, `workflows/order.py`, `orders/`"
    assert missing(named) == ["orders/gone.py", "orders/lost"]


def test_the_states_in_the_picture_are_those_of_the_code() -> None:
    [picture] = PICTURE.findall(section("The states of an order"))
    drawn = {(before, after) for before, after in MOVE.findall(picture) if after != "[*]"}
    assert drawn == {(before or "[*]", after) for before, moves in ORDER_MOVES.items() for after in moves}


@pytest.mark.parametrize("title", ["An order's way", "A change's way"])
def test_the_files_on_a_way_are_numbered_and_counted(title: str) -> None:
    text = section(title)
    steps = re.findall(r"^(\d+)\. `([^`]+)`", text, re.MULTILINE)
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    files = {name for _, name in steps}
    assert f"**Files: {len(files)}. Returns: {len(steps) - len(files)}.**" in text


def test_every_decision_is_in_the_index_and_has_all_its_parts() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert DECISIONS
    assert re.findall(r"\]\((\d[^)]+)\)", index) == [path.name for path in DECISIONS]
    for path in DECISIONS:
        titles = re.findall(r"^(?:# \d+|Status|## \w+)", path.read_text(), re.MULTILINE)
        assert titles == [f"# {int(path.name[:4])}", "Status", "## Context", "## Decision", "## Consequences"], (
            path.name
        )
