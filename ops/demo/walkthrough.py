"""`orderpipe demo`: orders, changes and a failing silo, and at the end a look at what the silos really hold."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx2
from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape

from catalog_loader.catalog_files import read_catalog
from ops.client.door import ENDED, Door, DoorError
from ops.demo.board import Board, GaveUp, ObservedOrder
from ops.demo.customer import OneStory
from ops.demo.sim import Sim
from ops.demo.verdicts import Verdicts
from ops.local.interrupt import until_interrupted
from ops.local.issuer import DevelopmentIssuer
from ops.local.stack import Stack, on_free_ports
from ops.local.up import command
from orders.change.request import ChangeState
from orders.model.catalog import Catalog
from orders.read_model.states import TaskState
from settings import ROOT, Settings

EXAMPLES = ROOT / "examples" / "orders"
TRIPLE_PLAY, MOBILE, VPN, RETAIL = "triple play", "family mobile", "business VPN", "retail devices"
CUSTOMER = "cust-1001"
"""Who orders all but the VPN."""
HER_CHANNELS = ("web", "shop", "call-centre")


def run_demo(settings: Settings, console: Console, *, keep: bool = False) -> bool:
    """Show the whole pipe at work, on free ports, with data of its own. True if the silos hold what they should.

    With `keep` everything goes on running at the end, until Ctrl-C.

    Raises:
        StackError: if the stack does not run here.
    """
    folder = Path(tempfile.mkdtemp(prefix="orderpipe-demo-"))
    settings = settings.model_copy(update={"channels_see_customers": ",".join(HER_CHANNELS)})
    told = asyncio.run(until_interrupted(_demo(on_free_ports(settings, folder), console, keep)))
    if told is False:
        _say(console, f"What the processes logged is in {folder / 'logs'}.")
        return False
    shutil.rmtree(folder, ignore_errors=True)
    if told is None:
        _say(console, "\nCalled off.")
    return told is True


async def _demo(settings: Settings, console: Console, keep: bool) -> bool:
    began = time.monotonic()
    catalog = read_catalog(settings.catalog_dir)
    _say(
        console,
        "\n[bold]orderpipe[/bold] takes every order of a communications service provider, from every channel, through\n"
        "one pipe: each order is a durable Temporal workflow. Here it is at work on this machine, with\n"
        f"{len(catalog.silos)} simulated provisioning systems (silos).",
    )
    stack = Stack(settings)
    issuer = DevelopmentIssuer(settings)
    issuer.prepare(catalog.silos)
    async with Door(settings.api_address, token=issuer.token()) as door, Sim(settings.silos_address) as sim:
        demo = Demo(door, sim, console, catalog, issuer)
        demo.step("Temporal with its Web UI, the silos, a worker and the API are started")
        with console.status("  This takes a few seconds ..."):
            await stack.start(lambda started: demo.say(started, good=True))
        try:
            demo.say(f"All is up after {time.monotonic() - began:.0f} s.", good=True)
            demo.say(f"Temporal's Web UI  {settings.web_ui_address}")
            demo.say(f"API                {settings.api_address}/docs")
            demo.say(f"[dim]All links work as long as this runs. To look around: {command()} demo --keep[/dim]")
            try:
                all_well = await demo.run()
            except (GaveUp, DoorError, httpx2.HTTPError) as error:
                _say(console, f"\n[red]The demonstration cannot go on.[/red] {escape(str(error))}")
                return False
            _say(console, f"[dim]    {time.monotonic() - began:.0f} s in all[/dim]\n")
            if keep:
                await _stay(stack, console)
            return all_well
        finally:
            with console.status("  Stopping everything ..."):
                await stack.stop()


async def _stay(stack: Stack, console: Console) -> None:
    """Leave everything running until a signal comes, which is then no interruption but the end."""
    _say(console, f"Everything goes on running: {stack.settings.web_ui_address}")
    _say(console, f"A token for its API: ORDERPIPE_DATA_DIR={stack.settings.data_dir} {command()} token")
    _say(console, "Ctrl-C ends it.")
    with suppress(asyncio.CancelledError):
        await stack.keep_alive(lambda news: _say(console, escape(news)))


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


class Demo:
    """The story, step by step."""

    def __init__(self, door: Door, sim: Sim, console: Console, catalog: Catalog, issuer: DevelopmentIssuer) -> None:
        self.door = door
        self.issuer = issuer
        self.sim = sim
        self.console = console
        self.catalog = catalog
        self.board = Board(door, console)
        self.ids: dict[str, str] = {}
        self.steps = 0

    async def run(self) -> bool:
        """Tell it all. True if at the end the silos hold what they should."""
        with self.board:
            await self.submit_orders()
            await self.mend_the_silo()
            await self.amend_in_flight()
            await self.cancel_half_way()
            await self.let_the_technician_come()
        story = await OneStory.ask(self.door.address, self.issuer, CUSTOMER, HER_CHANNELS)
        all_well = await self.compare()
        return self.tell_of_the_customer(story) and all_well

    async def submit_orders(self) -> None:
        """Four orders. Technicians come when told to, and one silo is out of order."""
        await self.sim.pace("field-service", None)
        await self.sim.fail("mobile-core", outage=True)
        self.step("Four orders come in, from four channels")
        await self.submit(TRIPLE_PLAY, _with_offering(_example("triple-play"), "1.internet", "fibre-500"))
        await self.submit(MOBILE, _from(_example("mobile-family"), CUSTOMER, "shop"))
        await self.submit(VPN, _example("business-vpn"))
        await self.submit(RETAIL, _from(_example("retail-device"), CUSTOMER, "call-centre"))

    async def mend_the_silo(self) -> None:
        """The mobile order meets an outage, and goes on by itself when that is over."""
        self.step("A silo fails: mobile-core answers nothing but 503")
        self.say("Calls on it are tried again, with growing pauses. All that does not need it goes on.")
        await self.board.until(
            lambda seen: TaskState.IN_PROGRESS in _states(seen, MOBILE, "mobile-core"), "it is called"
        )
        failed = await self.until_failed("mobile-core", 9)
        await self.sim.fail("mobile-core")
        self.say(f"After {failed} failed calls it is back. Nobody needs to do anything.", good=True)

    async def amend_in_flight(self) -> None:
        """The customer of the triple play changes her mind while she waits for the technician."""
        self.step("The triple play is changed in flight: 500 to 1000 Mbit/s, and TV Cinema in place of TV Sport")
        await self.board.until(_waits_for_technician_only, "the triple play waits for nothing but the technician")
        before = await self.calls(TRIPLE_PLAY)
        await self.change(
            TRIPLE_PLAY,
            {
                "requestId": "call-2231",
                "kind": "amend",
                "channel": "call-centre",
                "requester": "agent-7",
                "reason": "the customer called",
                "update": [{"id": "1.internet", "offering": "fibre-1000"}, {"id": "1.tv", "offering": "tv-cinema"}],
            },
        )
        made = await self.calls(TRIPLE_PLAY) - before
        self.say(
            "Accepted as revision 2, "
            + (f"with {made} more calls." if made else "without a single call: what depends on it was still to come."),
            good=True,
        )

    async def cancel_half_way(self) -> None:
        """A company calls off its VPN when half of it stands."""
        self.step("The business VPN is cancelled half-way")
        await self.board.until(
            lambda seen: (
                _states(seen, VPN, "field-service") == {TaskState.AWAITING}
                and not seen[VPN].silos(TaskState.IN_PROGRESS)
            ),
            "the VPN waits for its technicians",
        )
        held = await self.held(VPN)
        self.say(f"Five sites: {held} services stand or are booked in the silos. They go in the reverse order.")
        change = {"requestId": "mail-17", "kind": "cancel", "channel": "partner", "reason": "the company moves"}
        await self.change(VPN, change)
        await self.board.until(lambda seen: seen[VPN].order.state in ENDED, "the VPN is cancelled")
        self.say(f"Cancelled. The silos hold {await self.held(VPN) or 'nothing'} of it any more.", good=True)

    async def let_the_technician_come(self) -> None:
        """What waited goes on, and all orders end."""
        self.step("The technician has been at the customer's")
        await self.sim.complete("field-service", self.ids[TRIPLE_PLAY])
        await self.board.until(
            lambda seen: all(sight.order.state in ENDED for sight in seen.values()), "every order has ended"
        )
        line, pack = await self.at_the_silo(TRIPLE_PLAY, "down_mbps"), await self.at_the_silo(TRIPLE_PLAY, "pack")
        self.say(f"All four orders have ended. The line runs at {line} Mbit/s, and TV has the pack {pack}.", good=True)

    async def compare(self) -> bool:
        """Look at what the silos really hold."""
        self.step("What do the silos really hold?")
        self.say("Each order is compared with its own final items and with the ledger that it kept.")
        self.say("Then the silos are emptied, and what each order has come to ask for is ordered anew:")
        self.say("that has to leave the very same.")
        verdicts = Verdicts(self.door, self.sim, self.catalog)
        with self.console.status("  Ordering anew on empty silos ..."):
            all_well = await verdicts.reach(self.ids)
        self.say("")
        self.console.print(verdicts.table())
        for problem in verdicts.problems():
            self.say(f"[red]{escape(problem)}[/red]")
        self.say("")
        for title, link in verdicts.links():
            self.say(f"[dim]{title:<15} {link}[/dim]")
        self.say("")
        if all_well:
            self.say("The silos hold exactly what was last asked for, and nothing else.", good=True)
        else:
            self.say("[bold red]The silos do not hold what they should.[/bold red]")
        return all_well

    def tell_of_the_customer(self, story: OneStory) -> bool:
        """Show one customer as each of her channels saw her when her orders had ended."""
        self.step(f"One customer, one story: {story.customer}, as {', '.join(HER_CHANNELS)} are told of her")
        self.console.print(story.table())
        view = story.view
        self.say("")
        self.say(
            f"{len(view.products)} products, {len(view.notifications)} messages sent, "
            f"{len(view.open_changes) or 'no'} open changes"
        )
        if story.is_one:
            self.say("Every channel is told the same, whichever the orders came from.", good=True)
        else:
            self.say("[bold red]The channels are told different stories.[/bold red]")
        return story.is_one

    async def submit(self, title: str, body: Mapping[str, JsonValue]) -> None:
        """Submit an order, and say where it can be followed."""
        submitted = await self.door.submit(body)
        order = await self.door.order(submitted.id)
        self.ids[title] = order.id
        self.board.add(title, order.id)
        self.say(f"{title:<15} {order.channel:<8} {order.web_ui}")

    async def change(self, title: str, change: Mapping[str, JsonValue]) -> None:
        """Change an order, and wait for the verdict, which has to be good."""
        await self.door.change(self.ids[title], change)
        await self.board.until(lambda seen: _verdict(seen, title, change) is not ChangeState.ASSESSING, "it is decided")
        if _verdict(self.board.seen, title, change) is ChangeState.REJECTED:
            raise GaveUp(f"The change of the {title} was rejected: see {self.board.seen[title].order.href}")

    async def until_failed(self, silo: str, count: int) -> int:
        """Show the orders until so many calls on a silo have failed. Gives how many have."""
        failed = 0
        deadline = time.monotonic() + 60
        while failed < count:
            failed = sum(entry.silo == silo and entry.outcome == "failed" for entry in await self.sim.journal())
            await self.board.until(lambda seen: True, "")
            if time.monotonic() > deadline:
                raise GaveUp(f"{silo} was called {failed} times in a minute")
        return failed

    async def calls(self, title: str) -> int:
        """How many calls that change something an order has made."""
        changing = ("provision", "amend", "compensate")
        return sum(entry.verb in changing for entry in await self.sim.journal(self.ids[title]))

    async def held(self, title: str) -> int:
        """How many services the silos hold for an order."""
        return sum(map(len, (await self.sim.services(self.ids[title])).values()))

    async def at_the_silo(self, title: str, characteristic: str) -> JsonValue:
        """The value that an order's services have in the network, or in the TV platform."""
        held = await self.sim.services(self.ids[title])
        services = [*held.get("access-network", ()), *held.get("tv", ())]
        return next((s.characteristics[characteristic] for s in services if characteristic in s.characteristics), None)

    def step(self, title: str) -> None:
        """Begin the next step."""
        self.steps += 1
        _say(self.console, f"\n[bold cyan]{self.steps}[/bold cyan] [bold]{title}[/bold]")

    def say(self, text: str, *, good: bool = False) -> None:
        """Say something in the current step."""
        _say(self.console, f"  [green]✓[/green] {text}" if good else f"    {text}")


def _waits_for_technician_only(seen: dict[str, ObservedOrder]) -> bool:
    sight = seen[TRIPLE_PLAY]
    return sight.silos(TaskState.AWAITING) == ["field-service"] and not sight.silos(TaskState.IN_PROGRESS)


def _verdict(seen: dict[str, ObservedOrder], title: str, change: Mapping[str, JsonValue]) -> ChangeState:
    its = (told.state for told in seen[title].order.changes if told.request_id == change["requestId"])
    return next(its, ChangeState.ASSESSING)


def _states(seen: dict[str, ObservedOrder], title: str, silo: str) -> set[TaskState]:
    return {task.state for task in seen[title].tasks if task.silo == silo}


def _example(name: str) -> dict[str, JsonValue]:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def _from(body: dict[str, JsonValue], customer: str, channel: str) -> dict[str, JsonValue]:
    """The order as another customer's, by another channel."""
    party: JsonValue = {"id": customer, "role": "customer", "@referredType": "Individual"}
    return {**body, "relatedParty": [party], "channel": [{"id": channel}]}


def _with_offering(item: dict[str, JsonValue], item_id: str, offering: str) -> dict[str, JsonValue]:
    """The order, or item, with another offering in the item of that id."""
    changed = dict(item)
    if item.get("id") == item_id:
        changed["productOffering"] = {"id": offering}
    nested = item.get("productOrderItem")
    if isinstance(nested, list):
        changed["productOrderItem"] = [_with_offering(i, item_id, offering) for i in nested if isinstance(i, dict)]
    return changed
