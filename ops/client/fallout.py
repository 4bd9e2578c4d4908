"""`orderpipe fallout` and `orderpipe retry`: what waits for a person, and having it tried again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.care.fallout.fallout_bodies import FalloutGroupResponse, ListedFallout
from api.care.orders.change_bodies import ChangeResponse
from ops.client.door import Door, Sought
from ops.client.order_screen import rigid_table
from ops.client.printing import print_json
from ops.terminal import CommandError
from orders.change.request import ChangeKind, ChangeState
from orders.model.instants import instant
from orders.model.silos.rules import Severity
from orders.read_model.answer_words import moment
from orders.read_model.fallout import FalloutState

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "open": (),
    **{state.value: (state.value,) for state in FalloutState},
    "all": tuple(state.value for state in FalloutState),
}
"""What states can be asked for by one word."""


def long_ago(age: str) -> str:
    """The instant that long ago: `90s`, `15m`, `2h` or `3d`.

    Raises:
        CommandError: if it is no such time.
    """
    number, unit = age[:-1], UNITS.get(age[-1:])
    if unit is None or not (number.isascii() and number.isdigit() and len(number) < 6):
        raise CommandError(f"{age} is no length of time, such as 90s, 15m, 2h or 3d")
    return instant(datetime.now(UTC) - timedelta(seconds=int(number) * unit))


def states(word: str) -> tuple[str, ...]:
    """The states that a word asks for.

    Raises:
        CommandError: if there is no such word.
    """
    if word not in STATES:
        raise CommandError(f"{word} is no state of fallout: there are {', '.join(STATES)}")
    return STATES[word]


def severities(words: Sequence[str]) -> tuple[str, ...]:
    """The severities that are asked for.

    Raises:
        CommandError: if there is no such severity.
    """
    known = tuple(severity.value for severity in Severity)
    for word in words:
        if word not in known:
            raise CommandError(f"{word} is no severity: there are {', '.join(known)}")
    return tuple(words)


async def show_fallout(door: Door, search: Mapping[str, Sought], console: Console, *, as_json: bool) -> None:
    """List fallout, the oldest first unless asked for otherwise."""
    page = await door.fallout(search)
    if as_json:
        print_json(page, console)
        return
    for line in _lines(page.fallout) if page.fallout else ():
        console.print(line, highlight=False, soft_wrap=True)
    left = page.total - len(page.fallout)
    console.print(
        f"{page.total} in all" + (f", {left} more than are shown: see --limit" if left else ""), highlight=False
    )


async def show_summary(door: Door, search: Mapping[str, Sought], console: Console, *, as_json: bool) -> None:
    """Show fallout in numbers, the largest groups first."""
    summary = await door.fallout_summary(search)
    if as_json:
        print_json(summary, console)
        return
    if summary.groups:
        console.print(_summary_table(summary.groups))
    console.print(f"{summary.total} in all", highlight=False)


async def retry(
    door: Door, order_id: str, console: Console, *, task: str | None, silo: str | None, as_json: bool
) -> bool:
    """Have what was refused tried again: of a task, of a silo, or of every silo. True if all of it was accepted."""
    silos = [silo] if silo is not None else sorted({each.silo for each in (await door.order(order_id)).fallout})
    named: list[dict[str, JsonValue]] = [{"task": task}] if task is not None else [{"silo": each} for each in silos]
    if not named:
        raise CommandError(f"Nothing of order {order_id} waits for a person")
    granted = True
    for what in named:
        verdict = await door.change(order_id, {"kind": ChangeKind.RETRY.value, **what})
        [about] = what.values()
        granted = granted and (verdict is None or verdict.state is not ChangeState.REJECTED)
        if as_json and verdict is not None:
            print_json(verdict, console)
        elif not as_json:
            console.print(_told(str(about), verdict))
    return granted


def _told(about: str, verdict: ChangeResponse | None) -> Text:
    if verdict is None:
        return Text(f"{about}: asked for, and to be decided")
    if verdict.state is ChangeState.REJECTED:
        return Text.assemble((f"{about}: ", "red"), "; ".join(reason.message for reason in verdict.reasons))
    return Text.assemble((f"{about}: ", "green"), "tried again")


def _lines(fallout: tuple[ListedFallout, ...]) -> Iterator[Text]:
    """A table, and below each of its rows what that means: in full, however narrow the terminal is."""
    columns = ("order", "since", "silo", "code", "tries", "who")
    rows = [
        (
            each.order_id,
            moment(each.since),
            each.silo,
            each.code,
            str(each.attempts),
            each.claimed_by or each.group or "",
        )
        for each in fallout
    ]
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    yield Text(_row(columns, widths), style="dim")
    for each, row in zip(fallout, rows, strict=True):
        yield Text(_row(row, widths), style="bold")
        yield Text.assemble("    ", *_marks(each), each.meaning)


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _marks(fallout: ListedFallout) -> Iterator[tuple[str, str]]:
    if fallout.state is FalloutState.OVER:
        yield f"{fallout.ended or 'over'}  ", "green"
        return
    if fallout.state is FalloutState.UNDER_WAY:
        yield "under way  ", "cyan"
    if fallout.in_jeopardy:
        yield "late  ", "red"


def _summary_table(groups: tuple[FalloutGroupResponse, ...]) -> Table:
    return rigid_table(
        ("calls", "orders", "late", "claimed", "severity", "oldest", "silo", "operation", "code"),
        [
            (
                str(group.count),
                str(group.orders),
                Text(str(group.at_risk), style="red" if group.at_risk else ""),
                str(group.claimed),
                group.severity or "",
                moment(group.oldest),
                group.silo,
                group.operation,
                group.code,
            )
            for group in groups
        ],
    )
