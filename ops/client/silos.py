"""`orderpipe silos` and `orderpipe silo NAME`: how silos are, and what is done with them by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, JsonValue
from rich.console import Console
from rich.text import Text

from api.care.silos.silo_bodies import SiloHealthResponse
from ops.client.door import Door
from ops.client.fallout import UNITS
from ops.client.order_screen import rigid_table
from ops.terminal import CommandError
from orders.health.condition import SiloState
from orders.model.instants import instant, moment

_COLOURS: Final = {
    SiloState.CLOSED: "green",
    SiloState.OPEN: "red",
    SiloState.HALF_OPEN: "yellow",
    SiloState.PAUSED: "yellow",
    SiloState.WINDOW: "yellow",
}
_WORDS: Final = {SiloState.CLOSED: "well", SiloState.OPEN: "left alone", SiloState.HALF_OPEN: "coming back"}


class Act(StrEnum):
    """What can be done with a silo."""

    SHOW = "show"
    PAUSE = "pause"
    RESUME = "resume"
    THROTTLE = "throttle"
    WINDOW = "window"


def patch_of(
    act: Act, value: str | None, *, start: str | None, end: str | None, close: bool, reason: str
) -> dict[str, JsonValue]:
    """What to ask the API for.

    Raises:
        CommandError: if that makes no sense.
    """
    if value is not None and act in (Act.PAUSE, Act.RESUME):
        raise CommandError(f"{act} takes nothing more")
    if act is not Act.WINDOW and (start or end or close):
        raise CommandError("--from, --to and --close are for a window")
    match act:
        case Act.THROTTLE:
            return {"throttle": _rate(value), "reason": reason}
        case Act.WINDOW if close:
            if start or end:
                raise CommandError("A window that is closed has no --from and no --to")
            return {"closeWindow": {"id": value}, "reason": reason}
        case Act.WINDOW:
            window: dict[str, JsonValue] = {"id": value, "start": _when(start), "end": _when(end)}
            return {"openWindow": window, "reason": reason}
        case _:
            return {"paused": act is Act.PAUSE, "reason": reason}


def _rate(value: str | None) -> float:
    """Calls a second, or `off`, which the API knows as 0."""
    if value == "off":
        return 0.0
    try:
        rate = float(value or "")
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 100_000:  # Also where it is no number.
        raise CommandError("throttle takes calls a second, such as 5, or off")
    return rate


def _when(text: str | None) -> str | None:
    """An instant as written, or so long from now: `+90s`, `+15m`, `+2h` or `+3d`."""
    if text is None or not text.startswith("+"):
        return text
    number, unit = text[1:-1], UNITS.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdigit() and len(number) < 6):
        raise CommandError(f"{text} is no length of time, such as +90s, +15m, +2h or +3d")
    return instant(datetime.now(UTC) + timedelta(seconds=int(number) * unit))


async def show_silos(door: Door, console: Console, *, as_json: bool) -> None:
    """List all silos."""
    found = await door.silos()
    if as_json:
        _print_json(found, console)
        return
    rows = [
        (
            each.name,
            _state(each),
            moment(each.since) if each.since is not None and each.state is not SiloState.CLOSED else "",
            str(each.queue.length),
            str(each.orders_waiting),
            f"{each.rate.now:g}",
            f"{each.calls.error_share:.0%}",
            _latency(each),
            each.reason,
        )
        for each in found.silos
    ]
    columns = ("silo", "state", "since", "queue", "orders", "a second", "errors", "p50/p95 ms", "why")
    console.print(rigid_table(columns, rows))


async def show_silo(door: Door, name: str, console: Console, *, as_json: bool) -> None:
    """Show one silo."""
    _show(await door.silo(name), console, as_json=as_json)


async def steer_silo(door: Door, name: str, patch: dict[str, JsonValue], console: Console, *, as_json: bool) -> None:
    """Do something with a silo, and show it as it is then."""
    _show(await door.steer_silo(name, patch), console, as_json=as_json)


def _show(silo: SiloHealthResponse, console: Console, *, as_json: bool) -> None:
    if as_json:
        _print_json(silo, console)
        return
    for line in _lines(silo):
        console.print(line, highlight=False, soft_wrap=True)


def _lines(silo: SiloHealthResponse) -> Iterator[Text]:
    since = f" since {moment(silo.since)}" if silo.since is not None else ""
    yield Text.assemble((silo.name, "bold"), "  ", _state(silo), since)
    if silo.reason:
        yield Text(f"  {silo.reason}")
    rate = silo.rate
    yield Text(f"  calls: {rate.now:g} a second at most, {rate.granted:g} are granted, {rate.measured:g} made lately")
    told = f"  lately: {silo.calls.answered} answered, {silo.calls.failed} failed"
    yield Text(f"{told}, p50/p95 {_latency(silo)} ms" if silo.calls.p50_ms is not None else told)
    yield Text(f"  queue: {silo.queue.length}, the oldest for {silo.queue.age_seconds:g} s")
    yield Text(f"  orders waiting: {silo.orders_waiting}")
    if silo.breaker.next_look is not None:
        yield Text(
            f"  looked at {silo.breaker.looked_in_vain} times in vain, again at {moment(silo.breaker.next_look)}"
        )
    for worker in silo.aside:
        yield Text(f"  cut off from it: worker {worker}", style="yellow")
    for window in silo.windows:
        end = moment(window.end) if window.end is not None else "further notice"
        why = f": {window.reason}" if window.reason else ""
        yield Text(f"  window {window.id}: {moment(window.start)} until {end}{' (on)' if window.on else ''}{why}")


def _state(silo: SiloHealthResponse) -> Text:
    return Text(_WORDS.get(silo.state, silo.state.value), style=_COLOURS[silo.state])


def _latency(silo: SiloHealthResponse) -> str:
    calls = silo.calls
    return "" if calls.p50_ms is None or calls.p95_ms is None else f"{calls.p50_ms:.0f}/{calls.p95_ms:.0f}"


def _print_json(told: BaseModel, console: Console) -> None:
    """For another program: one line."""
    console.print(told.model_dump_json(by_alias=True), highlight=False, markup=False, soft_wrap=True)
