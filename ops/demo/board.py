"""Several orders side by side: shown as they go, and waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from api.care.orders.care_bodies import OrderResponse, TaskResponse
from ops.client.door import Door
from ops.client.order_screen import bar, rigid_table, state_text, tasks_done
from orders.read_model.states import TaskState

POLL_EVERY_S = 0.3

_DOING = {
    TaskState.IN_PROGRESS: "calls",
    TaskState.COMPENSATING: "undoes",
    TaskState.AWAITING: "awaits",
    TaskState.FALLOUT: "refused by",
}


class GaveUp(Exception):
    """What was waited for did not come."""


@dataclass(frozen=True, slots=True)
class ObservedOrder:
    """What was seen of an order the last time that it was asked for."""

    order: OrderResponse
    tasks: tuple[TaskResponse, ...]

    def silos(self, state: TaskState) -> list[str]:
        """The silos that have tasks in that state."""
        return sorted({task.silo for task in self.tasks if task.state is state})

    def progress(self, width: int = 0) -> Text:
        """How far it is; with a width, as a bar too. A cancelled order has no tasks but those to undo."""
        done, of = tasks_done(self.order)
        if of:
            return bar(done, of, width)
        left = sum(task.state is TaskState.COMPENSATING for task in self.tasks)
        return Text(f"{left} to undo" if left else "all undone", style="dim")

    def doing(self, *, but: TaskState | None = None) -> str:
        """`calls voice, awaits field-service`: what is going on."""
        parts = {word: self.silos(state) for state, word in _DOING.items() if state is not but}
        return ", ".join(f"{word} {' '.join(silos)}" for word, silos in parts.items() if silos)


class Board:
    """Shows orders under titles: as a live table, or where there is no terminal, a line for each change of state."""

    def __init__(self, door: Door, console: Console) -> None:
        self._door = door
        self._console = console
        self._began = time.monotonic()
        self._ids: dict[str, str] = {}
        self.seen: dict[str, ObservedOrder] = {}
        self._told: dict[str, str] = {}
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Board:
        """Begin to show."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show no more."""
        if self._live is not None:
            self._live.stop()

    def add(self, title: str, order_id: str) -> None:
        """Show one more order."""
        self._ids[title] = order_id

    async def until(
        self, condition: Callable[[dict[str, ObservedOrder]], bool], what: str, within: float = 60.0
    ) -> None:
        """Ask for all orders, show them, and do so again until they meet a condition.

        Raises:
            GaveUp: if they do not within so many seconds.
            DoorError: if they cannot be asked for.
        """
        deadline = time.monotonic() + within
        while True:
            for title, order_id in self._ids.items():
                order = await self._door.order(order_id)
                self.seen[title] = ObservedOrder(order, tuple([task async for task in self._door.tasks(order_id)]))
            self._show()
            if condition(self.seen):
                return
            if time.monotonic() > deadline:
                states = "; ".join(f"{title} {s.order.state} {s.doing()}" for title, s in self.seen.items())
                raise GaveUp(f"Waited {within:.0f} s in vain until {what}. {states}")
            await asyncio.sleep(POLL_EVERY_S)

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
            return
        for title, sight in self.seen.items():
            # Not every call: a log of those is Temporal's.
            waits = sight.doing(but=TaskState.IN_PROGRESS)
            news = f"{sight.order.state}, revision {sight.order.revision}" + (f", {waits}" if waits else "")
            if news != self._told.get(title):
                self._told[title] = news
                elapsed = f"{time.monotonic() - self._began:4.1f} s"
                line = f"    {elapsed}  {title:<14}  {sight.progress().plain:>11}  {news}"
                self._console.print(line, style="dim", highlight=False, soft_wrap=True)

    def _table(self) -> Table:
        return rigid_table(
            ("    order", "state", "rev.", "tasks in place", "what it does now"),
            [
                (
                    f"    {title}",
                    state_text(sight.order.state),
                    str(sight.order.revision),
                    sight.progress(16),
                    Text(sight.doing(), style="dim"),
                )
                for title, sight in self.seen.items()
            ],
        )
