"""`orderpipe bulk`: asking many orders for the same, and what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue
from rich.console import Console
from rich.live import Live
from rich.text import Text

from api.care.fallout.bulk_bodies import BulkOrderResponse, JobResponse
from ops.client.door import Door, Sought
from ops.client.order_screen import rigid_table
from ops.client.printing import print_json
from ops.terminal import CommandError
from orders.change.request import ChangeKind
from orders.model.instants import moment
from orders.read_model.jobs.bulk import BulkState

KINDS: Final[Mapping[str, ChangeKind]] = {
    "retry": ChangeKind.RETRY,
    "hold": ChangeKind.HOLD,
    "release": ChangeKind.RELEASE,
    "priority": ChangeKind.CHANGE_PRIORITY,
    "cancel": ChangeKind.CANCEL,
    "reschedule": ChangeKind.RESCHEDULE,
}
"""What many orders can be asked for, by the command's name."""

TROUBLE: Final = (BulkState.REJECTED, BulkState.REFUSED)
_POLL_EVERY_S: Final = 0.5
_OF_FALLOUT: Final = ("operation", "code", "group", "severity", "claimed", "order")
_OF_ORDERS: Final = ("q", "state", "externalId")


def body_of(
    verb: str, search: Mapping[str, Sought], action: Mapping[str, JsonValue], before: str | None, **said: JsonValue
) -> dict[str, JsonValue]:
    """What is asked of which orders, for the API: by their fallout where that is what they are looked for by.

    `before` is when the fallout came up at the latest, or the order was made.

    Raises:
        CommandError: if they are looked for by what fallout has, and by what orders have.
    """
    given: dict[str, JsonValue] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in search.items()
        if value not in (None, ())
    }
    by_fallout = verb == "retry" or not given.keys().isdisjoint(_OF_FALLOUT)
    misplaced = [name for name in given if name in _OF_ORDERS] if by_fallout else []
    if misplaced:
        raise CommandError(f"Fallout is not looked for by {', '.join(misplaced)}")
    if before is not None:
        given["sinceBefore" if by_fallout else "orderedBefore"] = before
    asked = {name: value for name, value in action.items() if value is not None}
    kept = {name: value for name, value in said.items() if value is not None}
    which = "fallout" if by_fallout else "orders"
    return {which: given, "action": {"kind": KINDS[verb].value, **asked}, **kept}


def stop_at(limit: str) -> dict[str, JsonValue]:
    """How many failures stop a job: `50`, `20%`, or `never`.

    Raises:
        CommandError: if it is none of that.
    """
    digits = limit.removesuffix("%")
    if limit == "never":
        return {}
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits) <= (100 if limit.endswith("%") else 100_000)):
        raise CommandError(f"{limit} is no number of failures, such as 50, 20% or never")
    return {"share": int(digits) / 100} if limit.endswith("%") else {"number": int(digits)}


async def preview(door: Door, body: Mapping[str, JsonValue], console: Console, *, as_json: bool) -> bool:
    """Show which orders would be asked. False if there are none."""
    found = await door.preview_job(body)
    if as_json:
        print_json(found, console)
        return found.total > 0
    if found.sample:
        rows = [(each.order_id, each.state.value, each.channel, each.customer_id) for each in found.sample]
        console.print(rigid_table(("order", "state", "channel", "customer"), rows))
    left = found.total - len(found.sample)
    console.print(f"{found.total} in all" + (f", {left} more than are shown" if left else ""), highlight=False)
    return found.total > 0


async def begin(door: Door, body: Mapping[str, JsonValue], console: Console, *, watched: bool, as_json: bool) -> bool:
    """Ask the orders. With `watched`, wait until it is known what came of it; False then if that is trouble."""
    job = await door.begin_job(body)
    return await _show(door, job, console, watched=watched, as_json=as_json)


async def show_job(door: Door, job_id: str, console: Console, *, watched: bool, as_json: bool) -> bool:
    """Show how far a job is. With `watched`, wait until it is known what came of it; False then if that is trouble."""
    return await _show(door, await door.job(job_id), console, watched=watched, as_json=as_json)


async def show_jobs(door: Door, console: Console, *, limit: int, as_json: bool) -> None:
    """List bulk work, the latest first."""
    page = await door.jobs(limit)
    if as_json:
        print_json(page, console)
        return
    rows = [
        (
            job.id,
            moment(job.created_at),
            job.state.value,
            f"{job.total - job.counts[BulkState.WAITING]}/{job.total}",
            str(job.counts[BulkState.DONE]),
            _failed(job),
            job.requester,
            f"{job.action.kind.value}: {job.reason}",
        )
        for job in page.jobs
    ]
    if rows:
        console.print(rigid_table(("job", "since", "state", "asked", "done", "failed", "by", "what"), rows))
    console.print(f"{page.total} in all", highlight=False)


async def show_orders(door: Door, job_id: str, states: tuple[str, ...], console: Console, *, as_json: bool) -> None:
    """List the orders of a job, those in any of some states or all."""
    orders = [order async for order in door.job_orders(job_id, {"state": states, "limit": 1000})]
    if as_json:
        for order in orders:
            print_json(order, console)
    elif orders:
        console.print(rigid_table(("order", "state", "code", "why"), map(_row, orders)))


async def steer(door: Door, job_id: str, verb: str, reason: str, console: Console, *, as_json: bool) -> None:
    """Stop, pause or resume a job."""
    await _show(door, await door.steer_job(job_id, verb, reason), console, watched=False, as_json=as_json)


async def _show(door: Door, job: JobResponse, console: Console, *, watched: bool, as_json: bool) -> bool:
    if as_json:
        if watched:
            job = await _settled(door, job)
        print_json(job, console)
    elif not watched:
        console.print(_heading(job), soft_wrap=True)
    elif console.is_terminal:
        with Live(_heading(job), console=console, auto_refresh=False) as live:
            while job.settled_at is None:
                await asyncio.sleep(_POLL_EVERY_S)
                job = await door.job(job.id)
                live.update(_heading(job), refresh=True)
    else:
        job = await _told_line_by_line(door, job, console)
    return not watched or not any(job.counts[state] for state in TROUBLE)


async def _settled(door: Door, job: JobResponse) -> JobResponse:
    while job.settled_at is None:
        await asyncio.sleep(_POLL_EVERY_S)
        job = await door.job(job.id)
    return job


async def _told_line_by_line(door: Door, job: JobResponse, console: Console) -> JobResponse:
    """A line for each change, where there is no terminal; and at the end all of it."""
    told = ""
    while job.settled_at is None:
        counted = ", ".join(f"{count} {state.value}" for state, count in job.counts.items() if count)
        line = f"{job.state.value}: {counted}"
        if line != told:
            console.print(f"{time.strftime('%H:%M:%S')}  {line}", highlight=False, markup=False, soft_wrap=True)
            told = line
        await asyncio.sleep(_POLL_EVERY_S)
        job = await door.job(job.id)
    console.print(_heading(job), soft_wrap=True)
    return job


def _failed(job: JobResponse) -> Text:
    failed = sum(job.counts[state] for state in TROUBLE)
    return Text(str(failed), style="red" if failed else "")


def _heading(job: JobResponse) -> Text:
    return Text("\n").join((Text.assemble((job.id, "bold"), f"  {job.web_ui}"), *map(Text, job.told)))


def _row(order: BulkOrderResponse) -> tuple[Text | str, ...]:
    style = "red" if order.state in TROUBLE else ""
    return order.order_id, Text(order.state.value, style=style), order.code, order.message
