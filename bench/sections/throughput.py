"""Orders per second, latency, CPU and history of both contenders, who take turns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import fmean, median, quantiles

from pydantic import BaseModel

from bench.contenders import Contender
from bench.history import Footprint, footprint
from bench.kinds import Kind
from bench.load import Block, run_block
from bench.section import Part, Plan, table
from bench.stack import Benched

HISTORIES = 20
"""How many orders of the last block have their histories read."""

_PRICE = """\
The workers of both have the same settings: what speeds up the worker alone speeds up both. What orderpipe adds is the
same for every order, and so weighs most on the smallest: with Temporal an activity that writes the register and the
workflow task after it, a timer for the promise, an update of search attributes, and a start that carries the plan; in
the submitter the order's capture, plan and claim. Tried: one record, one search attribute update and one timer an
order, where there were more; records of a busy order held back; the core, and what of the shell keeps no state, passed
through the sandbox; no serialization contexts, for each of which the SDK enters the sandbox; garbage looked for
seldom; rows of a record written together, by statements that are built once; what an order waits for, and when its
promise is at stake next, worked out only where that can be news, and to the second only once that is near; connections
of its own for each silo, since for each request the HTTP client looks at every one that it has, which was half of what
it took; an event loop in C. The last two had the worker take some 15 % less CPU for the VPN, of both contenders. Tried,
and not kept: timers of busy orders five seconds later, and SQLite that leaves syncing to the system, neither of which
made a difference. Left as they are: the record at the end, without which nobody could rely on the register, as an
ordinary activity, since what a local one wrote is unknown until its workflow task completes: it is some 30 statements
and 6 ms of CPU, of which SQLite takes one; and the sandbox itself."""

MOST_EVENTS = 1.2


class Throughput(BaseModel):
    """Of one kind of order. Rates are medians over blocks, the ratio is the median over pairs of blocks.

    CPU times are per order and by process. `submitter` is the process that submits the orders, which for orderpipe
    captures and plans them as well.
    """

    orders_per_s: float
    bare_orders_per_s: float
    ratio: float
    ratios: list[float]
    p50_s: float
    p99_s: float
    bare_p50_s: float
    bare_p99_s: float
    cpu_s: dict[str, float]
    bare_cpu_s: dict[str, float]
    orders: int
    in_flight: int


class History(BaseModel):
    """Of one kind of order: means per order."""

    events: float
    bare_events: float
    actions: float
    bare_actions: float
    bytes: float
    bare_bytes: float
    events_by_type: dict[str, float]
    bare_events_by_type: dict[str, float]


@dataclass
class Turns:
    """What one contender did, block by block, and what its last orders left in history."""

    blocks: list[Block] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)

    def latency(self, percent: int) -> float:
        """A percentile over the orders of all blocks, in seconds."""
        latencies = [latency for block in self.blocks for latency in block.latencies_s]
        return quantiles(latencies, n=100, method="inclusive")[percent - 1] if len(latencies) > 1 else latencies[0]

    @property
    def cpu_s(self) -> dict[str, float]:
        """CPU time of each process per order, over all blocks."""
        orders = sum(len(block.orders) for block in self.blocks)
        return {name: sum(block.cpu_s[name] for block in self.blocks) / orders for name in self.blocks[0].cpu_s}


async def run(bench: Benched, plan: Plan) -> Part:
    """Every kind in turn."""
    throughput: dict[str, Throughput] = {}
    history: dict[str, History] = {}
    for kind in plan.kinds:
        kind = kind.fewer(8) if plan.quick else kind
        turns = await _take_turns(bench, plan, kind)
        throughput[kind.name] = _throughput(kind, turns)
        history[kind.name] = _history(turns)
    figures = {
        "throughput": {name: result.model_dump() for name, result in throughput.items()},
        "history": {name: result.model_dump() for name, result in history.items()},
    }
    return Part(figures, _markdown(plan, throughput, history))


async def _take_turns(bench: Benched, plan: Plan, kind: Kind) -> dict[str, Turns]:
    turns = {contender.name: Turns() for contender in bench.contenders}
    await _require_same_calls(bench, kind)
    if not plan.quick:
        for contender in bench.contenders:  # The first orders of a process pay for what it makes ready.
            await run_block(contender, kind.fewer(8))
    for number in range(plan.rounds):
        # Who begins changes, so that neither always meets what the other left behind.
        for contender in bench.contenders[:: -1 if number % 2 else 1]:
            await bench.fresh_silos()
            turns[contender.name].blocks.append(await run_block(contender, kind))
        ours, bare = (turns[contender.name].blocks[-1].orders_per_s for contender in bench.contenders)
        plan.say(f"{kind.title}: round {number + 1}: {ours:.2f} orders/s, bare {bare:.2f}, ratio {ours / bare:.3f}")
    for contender in bench.contenders:
        own = turns[contender.name]
        own.footprints = [await footprint(order.handle) for order in own.blocks[-1].orders[:HISTORIES]]
    return turns


async def _require_same_calls(bench: Benched, kind: Kind) -> None:
    """Compare the silo calls of one order each: else the contenders could not be compared.

    Raises:
        RuntimeError: if they differ.
    """
    await bench.fresh_silos()

    async def calls(contender: Contender) -> list[tuple[str, str]]:
        block = await run_block(contender, kind.fewer(kind.orders))
        return await bench.calls(block.orders[0].order_id)

    ours, bare = [await calls(contender) for contender in bench.contenders]
    if ours != bare or not ours:
        raise RuntimeError(f"{kind.title}: the contenders call the silos differently: {ours} and {bare}")


def _throughput(kind: Kind, turns: dict[str, Turns]) -> Throughput:
    ours, bare = turns["orderpipe"], turns["bare"]
    ratios = [one.orders_per_s / other.orders_per_s for one, other in zip(ours.blocks, bare.blocks, strict=True)]
    return Throughput(
        orders_per_s=median(block.orders_per_s for block in ours.blocks),
        bare_orders_per_s=median(block.orders_per_s for block in bare.blocks),
        ratio=median(ratios),
        ratios=ratios,
        p50_s=ours.latency(50),
        p99_s=ours.latency(99),
        bare_p50_s=bare.latency(50),
        bare_p99_s=bare.latency(99),
        cpu_s=ours.cpu_s,
        bare_cpu_s=bare.cpu_s,
        orders=sum(len(block.orders) for block in ours.blocks),
        in_flight=kind.in_flight,
    )


def _history(turns: dict[str, Turns]) -> History:
    ours, bare = turns["orderpipe"].footprints, turns["bare"].footprints
    return History(
        events=fmean(one.total for one in ours),
        bare_events=fmean(one.total for one in bare),
        actions=fmean(one.actions for one in ours),
        bare_actions=fmean(one.actions for one in bare),
        bytes=fmean(one.bytes for one in ours),
        bare_bytes=fmean(one.bytes for one in bare),
        events_by_type=_by_type(ours),
        bare_events_by_type=_by_type(bare),
    )


def _by_type(footprints: list[Footprint]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for one in footprints:
        total.update(one.events)
    return {name: count / len(footprints) for name, count in total.most_common()}


def _markdown(plan: Plan, throughput: dict[str, Throughput], history: dict[str, History]) -> str:
    titles, aims = {kind.name: kind.title for kind in plan.kinds}, {kind.name: kind.aim for kind in plan.kinds}
    rates = [
        (
            titles[name],
            f"{one.orders_per_s:.2f}",
            f"{one.bare_orders_per_s:.2f}",
            f"**{one.ratio:.2f}** ({min(one.ratios):.2f} to {max(one.ratios):.2f})",
            f"{aims[name]:.2f}",
            f"{one.p50_s:.2f} / {one.bare_p50_s:.2f}",
            f"{one.p99_s:.2f} / {one.bare_p99_s:.2f}",
            f"{one.in_flight}",
            f"{one.orders}",
        )
        for name, one in throughput.items()
    ]
    processes = next(iter(throughput.values())).cpu_s
    cpu = [
        (
            titles[name],
            *(f"{1000 * one.cpu_s[process]:.1f} / {1000 * one.bare_cpu_s[process]:.1f}" for process in processes),
            f"{1000 * sum(one.cpu_s.values()):.1f} / {1000 * sum(one.bare_cpu_s.values()):.1f}",
            f"**{sum(one.bare_cpu_s.values()) / sum(one.cpu_s.values()):.2f}**",
        )
        for name, one in throughput.items()
    ]
    events = [
        (
            titles[name],
            f"{one.events:.1f} / {one.bare_events:.1f}",
            f"**{100 * (one.events / one.bare_events - 1):+.0f} %**",
            f"{one.bytes / 1024:.1f} / {one.bare_bytes / 1024:.1f}",
            f"{one.actions:.1f} / {one.bare_actions:.1f}",
        )
        for name, one in history.items()
    ]
    return "\n\n".join(
        [
            "## Orders per second and latency",
            "The ratio of orders per second to those of the bare workflow has an aim for each kind, which is "
            f"{_met(titles, [name for name, one in throughput.items() if one.ratio >= aims[name]])}. The contenders "
            f"take turns, in {plan.rounds} rounds; the ratio is the median over the rounds, with the least and the "
            "greatest. Latency is from submission to completion, in seconds, orderpipe / bare.",
            table(
                ("kind", "orders/s", "bare", "ratio", "aim", "p50 s", "p99 s", "in flight", "orders each"),
                rates,
            ),
            "## CPU",
            "Milliseconds per order of each process, orderpipe / bare, and the ratio of bare to orderpipe, which other "
            "load on the machine disturbs less than it does rates. The submitter starts the orders and waits for them; "
            "for orderpipe it also captures and plans them, as the API does.",
            table(("kind", *processes, "all", "ratio"), cpu),
            "\n".join(_price(titles[name], one) for name, one in throughput.items()),
            _PRICE,
            "## History",
            f"Per order, orderpipe / bare. Aim: at most {100 * (MOST_EVENTS - 1):.0f} % more events, which is "
            f"{_met(titles, [name for name, one in history.items() if one.events <= MOST_EVENTS * one.bare_events])}. "
            "Actions are those that Temporal Cloud bills.",
            table(("kind", "events", "more", "KiB", "actions"), events),
            *(_difference(titles[name], one) for name, one in history.items()),
        ]
    )


def _met(titles: dict[str, str], met: list[str]) -> str:
    """For which kinds an aim is met."""
    missed = [title for name, title in titles.items() if name not in met]
    if not missed:
        return "met"
    return f"met for {', '.join(titles[name] for name in met) or 'none'}, **missed** for {', '.join(missed)}"


def _difference(title: str, history: History) -> str:
    """Which types of events make the difference."""
    names = {**history.events_by_type, **history.bare_events_by_type}
    differences = {
        name: history.events_by_type.get(name, 0) - history.bare_events_by_type.get(name, 0) for name in names
    }
    told = [
        f"{name.lower().replace('_', ' ')} {more:+.1f}"
        for name, more in sorted(differences.items(), key=lambda entry: -abs(entry[1]))
        if abs(more) >= 0.05
    ]
    return f"{title}, events more than bare: {', '.join(told) or 'none'}."


def _price(title: str, one: Throughput) -> str:
    """What an order costs more, the largest part first."""
    more = {name: 1000 * (one.cpu_s[name] - one.bare_cpu_s[name]) for name in one.cpu_s}
    parts = ", ".join(f"{name} {more[name]:+.1f}" for name in sorted(more, key=lambda name: -more[name]))
    return f"- {title}: {sum(more.values()):+.1f} ms, of which {parts}."
