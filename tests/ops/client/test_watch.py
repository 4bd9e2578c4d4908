from __future__ import annotations

import asyncio
import io
import re

import pytest
from rich.console import Console

from ops.client.door import Door, DoorError
from ops.client.order_screen import rigid_table
from ops.client.watch import watch
from tests.given.households import item, order
from tests.running.pipe import Pipe, body_of, until


def printing(*, terminal: bool = False) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=100, force_terminal=terminal, color_system=None), text


async def test_an_order_that_has_ended_is_shown_with_items_silos_and_link(door: Door, pipe: Pipe) -> None:
    order = await pipe.submit(body_of("triple-play"))
    await pipe.outcome(order)
    console, text = printing()
    await watch(door, order, console)
    shown = text.getvalue()
    assert shown.splitlines()[0].endswith(f"/workflows/order-{order}")
    for word in ("completed", "1.internet", "fibre-1000", "9/9", "field-service", "1/1"):
        assert word in shown
    assert all(len(line) <= 100 for line in shown.splitlines()[1:])


@pytest.mark.parametrize("terminal", [True, False])
async def test_an_order_is_watched_through_its_change_until_it_ends(door: Door, pipe: Pipe, terminal: bool) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order = await pipe.submit(body_of("triple-play"))
    await pipe.until_task(order, "installation/visit-site", "awaiting")
    console, text = printing(terminal=terminal)
    watching = asyncio.create_task(watch(door, order, console))
    change = {"kind": "amend", "requestId": "call-1", "update": [{"id": "1.tv", "offering": "tv-cinema"}]}
    assert await door.change(order, change)
    await pipe.sim("POST", "/field-service/complete", {})
    await watching
    shown = text.getvalue()
    assert "inProgress, revision" in shown
    assert "completed, revision 2" in shown
    assert re.search(r"amend \w+  call-1, revision 2", shown)


async def test_what_waits_for_a_person_is_shown(door: Door, pipe: Pipe) -> None:
    refused = [{"operation": "*", "match": "", "code": "blacklisted"}]
    await pipe.sim("PUT", "/crm/faults", {"permanent": refused})
    order = await pipe.submit(body_of("mobile"))
    await door.end(order)
    console, text = printing(terminal=True)
    watching = asyncio.create_task(watch(door, order, console))

    async def shown() -> bool:
        return "waits for a person" in text.getvalue()

    await until(shown, "the fallout to be shown")
    await pipe.change(order, kind="cancel", requestId="call-2")
    await pipe.outcome(order)
    await watching
    assert "crm.provision was refused, blacklisted" in text.getvalue()


async def test_an_unknown_order_is_told(door: Door) -> None:
    console, _ = printing()
    with pytest.raises(DoorError, match="unknown_order"):
        await watch(door, "web-0", console)


HOSTILE = "[link=https://evil.example][red]x"


@pytest.mark.parametrize("terminal", [True, False])
async def test_what_somebody_ordered_is_shown_and_neither_obeyed_nor_read_as_markup(
    door: Door, pipe: Pipe, terminal: bool
) -> None:
    submitted = await door.submit(order(item("1", HOSTILE), externalId=f"{HOSTILE}{terminal}"))
    console, text = printing(terminal=terminal)
    await watch(door, submitted.id, console)
    assert "\x1b]" not in text.getvalue()
    assert HOSTILE in text.getvalue().replace("\n", "")


def test_a_table_reads_no_markup() -> None:
    console, text = printing()
    console.print(rigid_table(("a", "b"), [("[bold]x", "[/bold]y")]))
    assert "[bold]x" in text.getvalue()
    assert "[/bold]y" in text.getvalue()
