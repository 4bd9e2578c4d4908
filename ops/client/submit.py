"""`orderpipe submit`: orders from files, through the API, side by side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from logs import quoted
from ops.client.door import Door, DoorError, Submitted
from ops.client.order_files import OrderInFile, read_orders
from ops.terminal import terminal
from orders.read_model.states import LifecycleState

SIDE_BY_SIDE = 20

_Work = TypeVar("_Work")


async def submit(door: Door, files: Iterable[str], console: Console, *, wait: bool) -> bool:
    """Submit every order of the files and tell what became of each; wait for their ends if asked to.

    False if any was not taken in or, where their ends were waited for, did not complete. An order that needs a person
    is not waited for: it is told as held.
    """
    # Beside the bar where that is a terminal; else standard output is only a list of orders, for another program.
    bars = console if console.is_terminal else terminal(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=bars,
        transient=True,
    ) as progress:
        submission = _Submission(door, console, progress, wait)
        await submission.take_in(read_orders(files))
        if wait:
            await submission.follow()
    return submission.tell()


class _Submission:
    def __init__(self, door: Door, console: Console, progress: Progress, wait: bool) -> None:
        self.door = door
        self.console = console
        self.progress = progress
        self.wait = wait
        self.submitted: list[Submitted] = []
        self.states: Counter[LifecycleState] = Counter()
        self.failed = 0

    async def take_in(self, orders: Iterator[OrderInFile]) -> None:
        """Submit all of them."""
        bar = self.progress.add_task("Submitting", total=None)
        await _side_by_side(orders, self._submit, lambda: self.progress.advance(bar))
        self.progress.remove_task(bar)

    async def follow(self) -> None:
        """Wait until every one has ended, or needs a person."""
        bar = self.progress.add_task("Waiting for their ends", total=len(self.submitted))
        await _side_by_side(iter(self.submitted), self._follow, lambda: self.progress.advance(bar))
        self.progress.remove_task(bar)

    def tell(self) -> bool:
        """The sum of it. True if all is well."""
        told = [f"{count} {state}" for state, count in self.states.items()]
        if self.failed:
            told.append(f"[red]{self.failed} failed[/red]")
        self.progress.console.print(f"[bold]{', '.join(told) or 'There was no order.'}[/bold]", highlight=False)
        completed = self.states[LifecycleState.COMPLETED] == self.states.total()
        return not self.failed and (completed or not self.wait)

    async def _submit(self, order: OrderInFile) -> None:
        if order.body is None:
            self._fail(order.place, order.problem)
            return
        try:
            submitted = await self.door.submit(order.body)
            if submitted.state is LifecycleState.REJECTED:
                reasons = (await self.door.order(submitted.id)).reasons
                why = "; ".join(reason.message for reason in reasons)
                raise DoorError(f"The order cannot be fulfilled: {why} ({submitted.id})")
        except DoorError as error:
            self._fail(order.place, str(error))
            return
        if submitted.state is LifecycleState.REJECTED:
            reasons = "; ".join(f"{why.reason} ({why.code})" for why in submitted.rejected_for)
            self._fail(order.place, f"{submitted.id} was rejected: {reasons}")
        elif self.wait:
            self.submitted.append(submitted)
        else:
            self._tell(submitted, submitted.state)

    async def _follow(self, submitted: Submitted) -> None:
        try:
            order = await self.door.end(submitted.id)
        except DoorError as error:
            self._fail(submitted.id, str(error))
        else:
            self._tell(submitted, order.state)

    def _tell(self, submitted: Submitted, state: LifecycleState) -> None:
        self.states[state] += 1
        self.console.print(
            f"{submitted.id}  {state:<12} {submitted.href}", highlight=False, markup=False, soft_wrap=True
        )

    def _fail(self, place: str, problem: str) -> None:
        self.failed += 1
        line = f"[red]{escape(quoted(place))}[/red]: {escape(quoted(problem))}"
        self.progress.console.print(line, highlight=False, soft_wrap=True)


async def _side_by_side(
    works: Iterator[_Work], do: Callable[[_Work], Awaitable[None]], done: Callable[[], None]
) -> None:
    async def some() -> None:
        for work in works:  # One iterator for all: each takes the next.
            await do(work)
            done()

    async with asyncio.TaskGroup() as group:
        for _ in range(SIDE_BY_SIDE):
            group.create_task(some())
