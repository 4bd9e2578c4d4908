"""An order on a terminal: what was ordered, how far items and silos are, what waits for a person, what was changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.care.orders.care_bodies import ItemResponse, OrderResponse, TimelineEntryResponse
from api.care.orders.change_bodies import ChangeResponse
from orders.change.request import ChangeState
from orders.model.instants import moment
from orders.read_model.answer import Answer, WaitsFor
from orders.read_model.answer_words import at_site, in_words
from orders.read_model.states import LifecycleState, TaskState

_COLOURS = {
    LifecycleState.REJECTED: "red",
    LifecycleState.HELD: "red",
    LifecycleState.PENDING_CANCELLATION: "yellow",
    LifecycleState.CANCELLED: "yellow",
    LifecycleState.COMPLETED: "green",
}
_ABOUT = {"late": "red", "now": "cyan", "next": "dim"}
_MOST_FALLOUT: Final = 20
_OF_CHANGE = {ChangeState.ASSESSING: "cyan", ChangeState.REJECTED: "red", ChangeState.SUPERSEDED: "yellow"}


def order_screen(order: OrderResponse) -> RenderableType:
    """Everything about an order, for a person who watches it."""
    parts: list[RenderableType] = [_heading(order), *_answer(order)]
    parts += ["", _items(order), "", _silos(order)]
    parts += [
        Text.assemble(
            ("waits for a person", "red"),
            f"  {fallout.task}: {fallout.silo}.{fallout.verb} was refused, {fallout.code} ({fallout.reason})",
        )
        for fallout in order.fallout[:_MOST_FALLOUT]
    ]
    parts += [Text(reason.message, style="red") for reason in order.reasons]
    parts += [_change(change) for change in order.changes]
    return Group(*parts)


def timeline_screen(entries: Iterable[TimelineEntryResponse]) -> Table:
    """Every task of an order by when it began, or should. What decides when all is done has a star."""
    return rigid_table(
        ("began", "ended", "state", "task"),
        [
            (
                _told(entry.begun, entry.expected_begin),
                _told(entry.undo_ended or entry.ended, entry.expected_end),
                Text("refused", style="red") if entry.state is TaskState.FALLOUT else str(entry.end or entry.state),
                _task(entry),
            )
            for entry in entries
        ],
    )


def _told(known: datetime | None, expected: datetime | None) -> Text:
    if known is not None:
        return Text(moment(known))
    return Text(f"~ {moment(expected)}" if expected is not None else "", style="dim")


def _task(entry: TimelineEntryResponse) -> Text:
    point = entry.no_return
    told = [
        f"tried {entry.tried} times" if entry.tried > 1 else "",
        entry.last_error or "",
        "no return" if point is not None and point.kind == "hard" and point.passed else "",
        *(f"{name} {at}".rstrip() for name, at in entry.milestones.items()),
    ]
    mark = ("* ", "bold") if entry.critical else ""
    what = f"{at_site(entry.title, entry.site)} ({entry.silo})"
    return Text.assemble(mark, what, (f"  {'; '.join(filter(None, told))}".rstrip(), "dim"))


def state_text(state: LifecycleState) -> Text:
    """A state in its colour."""
    return Text(state, style=_COLOURS.get(state, "cyan"))


def bar(done: int, of: int, width: int = 16) -> Text:
    """How far, as a bar of that width with its numbers."""
    filled = done * width // of if of else width
    return Text.assemble(("━" * filled, "green"), ("━" * (width - filled), "dim"), f"{' ' if width else ''}{done}/{of}")


def tasks_done(order: OrderResponse) -> tuple[int, int]:
    """How many tasks of the order are in place, and of how many."""
    return sum(silo.done for silo in order.silos), sum(silo.tasks for silo in order.silos)


def progress_line(order: OrderResponse) -> str:
    """How far an order is, in a line of plain text."""
    done, of = tasks_done(order)
    line = f"{order.state}, revision {order.revision}, {done} of {of} tasks in place"
    if order.fallout:
        line += f", {len(order.fallout)} waiting for a person"
    return "; ".join(filter(None, (line, order.answer.summary)))


def _heading(order: OrderResponse) -> Text:
    line = Text.assemble(
        (order.id, "bold"),
        f"  {order.external_id}  customer {order.customer_id}  by {order.channel}\n",
        state_text(order.state),
        f", revision {order.revision}",
    )
    if order.completed_at is not None:
        line.append(f", since {moment(order.completed_at)}")
    elif order.promised_at is not None and order.state is not LifecycleState.PENDING_CANCELLATION:
        line.append(f", promised for {moment(order.promised_at)}")
        if order.expected_at is not None:
            line.append(f", expected by {moment(order.expected_at)}")
        if order.safe_at is not None and order.safe_at != order.expected_at:
            line.append(f", nine times in ten by {moment(order.safe_at)}")
        if order.percent_complete is not None:
            line.append(f", {order.percent_complete} % complete")
    if order.in_jeopardy:
        line.append("  late", style="red")
    return line


def _answer(order: OrderResponse) -> Iterator[Text]:
    """Where it is, why, what comes next, and when."""
    answer = Answer.model_validate(order.answer, from_attributes=True)
    needs = answer.waits_for is not None and answer.waits_for.kind in (WaitsFor.PERSON, WaitsFor.HOLD)
    for about, line in in_words(answer):
        yield (
            Text.assemble((f"{about:6}", _ABOUT[about]), line) if about else Text(line, "bold red" if needs else "bold")
        )


def rigid_table(columns: Sequence[str], rows: Iterable[Sequence[Text | str]]) -> Table:
    """A plain table. Where the terminal is narrow, the last column alone gives way."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1], no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        # A string would be read as markup, and it may be somebody's order.
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def _items(order: OrderResponse) -> Table:
    return rigid_table(
        ("item", "offering", "state", "tasks", ""),
        [
            (
                f"{'  ' * depth}{item.id}",
                f"{item.quantity} x {item.offering}" if item.quantity > 1 else item.offering,
                state_text(item.state),
                bar(item.tasks_done, item.tasks, 10) if item.tasks else "",
                Text(_characteristics(item), style="dim"),
            )
            for item, depth in _nested(order.items)
        ],
    )


def _nested(items: Iterable[ItemResponse], parent: str | None = None, depth: int = 0) -> list[tuple[ItemResponse, int]]:
    items = list(items)
    found: list[tuple[ItemResponse, int]] = []
    for item in items:
        if item.parent == parent:
            found += [(item, depth), *_nested(items, item.id, depth + 1)]
    return found


def _characteristics(item: ItemResponse) -> str:
    place = [item.site.id] if item.site and item.parent is None else []
    return ", ".join([*place, *(f"{name} {value}" for name, value in item.characteristics.items())])


def _silos(order: OrderResponse) -> Table:
    return rigid_table(
        ("silo", "tasks", ""),
        [
            (
                silo.silo,
                bar(silo.done, silo.tasks),
                Text(f"{silo.fallout} refused", style="red") if silo.fallout else "",
            )
            for silo in order.silos
        ],
    )


def _change(change: ChangeResponse) -> Text:
    who = " ".join(part for part in (change.requester, f"by {change.channel}" if change.channel else "") if part)
    why = f": {'; '.join(reason.message for reason in change.reasons)}" if change.reasons else ""
    return Text.assemble(
        (f"{change.kind or 'change'} {change.state}", _OF_CHANGE.get(change.state, "green")),
        f"  {change.request_id}",
        f" ({who})" if who else "",
        f", revision {change.revision}",
        why,
    )
