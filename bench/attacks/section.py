"""What everybody else notices of each attack: probes, another caller's submissions, and memory."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from statistics import quantiles

import httpx2
from pydantic import BaseModel

from api.access.principal import Scope
from bench.attacks.attack import ATTACKS, ORDERS, Attack, Before
from bench.attacks.attacker import READY, Order
from bench.kinds import Kind, mobile, new_body
from bench.processes.memory import peak_mb, peak_mb_of_children, resident_mb
from bench.section import Part, Plan, table
from bench.stack import Benched
from settings import ROOT

PROBES_PER_S, ORDERS_PER_S = 50, 2
PROBES_MS, SUBMISSIONS_MS = 100, 1000
"""What is aimed at, at the 99th percentile."""
CALM = "none"
_WARMS_UP_WITH = 5

MOBILE = Kind("mobile", "mobile (eSIM)", mobile, orders=1, in_flight=1)


class Answered(BaseModel):
    """How long a caller waited, in milliseconds from when the request was due."""

    p50_ms: float
    p99_ms: float
    longest_ms: float
    asked: int
    failed: int


class Noticed(BaseModel):
    """Of one attack. `beside_mb` is the peak of the processes that work beside the API, together."""

    title: str
    probes: Answered
    submissions: Answered
    before_mb: float | None
    peak_mb: float | None
    beside_mb: float | None
    answers: dict[str, int]

    @property
    def met(self) -> bool:
        """True where both aims are."""
        failed = self.probes.failed or self.submissions.failed
        return not failed and self.probes.p99_ms <= PROBES_MS and self.submissions.p99_ms <= SUBMISSIONS_MS


async def run(bench: Benched, plan: Plan) -> Part:
    """One after the other, each on an API that was just started; before them none at all, to compare with."""
    await bench.fresh_silos()
    attacks = [ATTACKS[name] for name in plan.attacks]
    given = await _prepared(bench, attacks)
    found: dict[str, Noticed] = {}
    for attack in (None, *attacks):
        async with bench.api_of_its_own(codec_open=False) as (port, pid):
            one = await _noticed(bench, plan, port, pid, attack, given)
        found[attack.name if attack else CALM] = one
        plan.say(
            f"attacks: {one.title}: /healthz {one.probes.p99_ms:.0f} ms, submissions {one.submissions.p99_ms:.0f} ms "
            "at the 99th percentile"
        )
    return Part({"attacks": {name: one.model_dump() for name, one in found.items()}}, _markdown(found, plan))


async def _prepared(bench: Benched, attacks: Sequence[Attack]) -> dict[Before, str]:
    """What attacks need to be there, each once."""
    needed = dict.fromkeys(attack.before for attack in attacks if attack.before is not None)
    async with _caller(bench.settings.api_port, bench.token(Scope.OPERATE)) as operator:
        return {before: await before(operator) for before in needed}


async def _noticed(
    bench: Benched, plan: Plan, port: int, pid: int, attack: Attack | None, given: Mapping[Before, str]
) -> Noticed:
    async with _caller(port, bench.token(Scope.SUBMIT, channel="web")) as other, _caller(port) as prober:

        async def probe() -> bool:
            return (await prober.get("/healthz")).status_code == 200

        async def submit() -> bool:
            return (await other.post(ORDERS, json=new_body(MOBILE))).status_code == 201

        for _ in range(_WARMS_UP_WITH):
            await submit()
        before = resident_mb(pid)
        order = attack and Order(
            attack=attack.name,
            port=port,
            channel=bench.token(Scope.SUBMIT, Scope.READ, channel=attack.channel, subject="attacker"),
            agent=bench.token(Scope.CARE, subject="attacker"),
            given=given.get(attack.before, "") if attack.before else "",
            seconds=plan.attack_s,
        )
        async with _attacked(order) as answers, asyncio.TaskGroup() as group:
            probes = group.create_task(_asked(probe, PROBES_PER_S, plan.attack_s))
            submissions = group.create_task(_asked(submit, ORDERS_PER_S, plan.attack_s))
    return Noticed(
        title=attack.title if attack else "no attack",
        probes=probes.result(),
        submissions=submissions.result(),
        before_mb=before,
        peak_mb=peak_mb(pid),
        beside_mb=peak_mb_of_children(pid),
        answers=answers,
    )


@asynccontextmanager
async def _attacked(order: Order | None) -> AsyncIterator[dict[str, int]]:
    """While the attack goes on. Afterwards: how often its requests were answered by what."""
    answers: dict[str, int] = {}
    if order is None:
        yield answers
        return
    attacker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "bench.attacks.attacker"), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    try:
        if attacker.stdin is None or attacker.stdout is None:
            raise RuntimeError("there are no pipes to the attacker")
        attacker.stdin.write(order.model_dump_json().encode() + b"\n")
        if (await attacker.stdout.readline()).strip() != READY.encode():
            raise RuntimeError(f"the attacker cannot make {order.attack}")
        yield answers
        answers |= json.loads(await attacker.stdout.readline())
    finally:
        if attacker.returncode is None:
            attacker.kill()
        await attacker.wait()


async def _asked(ask: Callable[[], Awaitable[bool]], per_s: int, seconds: float) -> Answered:
    """Ask at a steady rate, however long the answers take: whoever waits is not to hide how long others would."""
    took: list[float] = []
    failed: list[float] = []
    began = time.perf_counter()

    async def once(due: float) -> None:
        try:
            good = await ask()
        except httpx2.TransportError:
            good = False
        (took if good else failed).append(1000 * (time.perf_counter() - due))

    async with asyncio.TaskGroup() as group:
        for number in range(max(2, int(per_s * seconds))):
            due = began + number / per_s
            await asyncio.sleep(due - time.perf_counter())
            group.create_task(once(due))
    waited = took + failed
    percentiles = quantiles(waited, n=100, method="inclusive")
    return Answered(
        p50_ms=percentiles[49], p99_ms=percentiles[98], longest_ms=max(waited), asked=len(waited), failed=len(failed)
    )


def _caller(port: int, token: str | None = None) -> httpx2.AsyncClient:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False)


def _markdown(found: Mapping[str, Noticed], plan: Plan) -> str:
    rows = [
        (
            one.title,
            f"{one.probes.p50_ms:.0f}",
            _told(one.probes, PROBES_MS),
            _told(one.submissions, SUBMISSIONS_MS),
            f"{one.probes.failed + one.submissions.failed}",
            f"{_mb(one.before_mb)} to {_mb(one.peak_mb)}",
            _mb(one.beside_mb),
            ", ".join(f"{number} x {answer}" for answer, number in one.answers.items()),
        )
        for one in found.values()
    ]
    missed = [one.title for one in found.values() if not one.met]
    aim = "met" if not missed else f"**missed** for: {'; '.join(missed)}"
    return "\n\n".join(
        [
            "## Attacks",
            f"Each for {plan.attack_s:g} seconds on an API that was just started, from a process of its own on this "
            f"machine. Meanwhile {PROBES_PER_S} probes of `/healthz` and {ORDERS_PER_S} small orders of another caller "
            f"come in a second. Aim, at the 99th percentile: {PROBES_MS} ms for the probes and {SUBMISSIONS_MS} ms for "
            f"those orders, none failing, which is {aim}. Of so few orders the 99th percentile is about the longest. "
            "Memory is that of the API's process, before and at its peak, and of those that work beside it.",
            table(
                (
                    "what is sent",
                    "probe p50 ms",
                    "p99 ms",
                    "orders p99 ms",
                    "failed",
                    "API MB",
                    "beside MB",
                    "answered",
                ),
                rows,
            ),
        ]
    )


def _told(answered: Answered, aim_ms: float) -> str:
    return f"{answered.p99_ms:.0f}" if answered.p99_ms <= aim_ms else f"**{answered.p99_ms:.0f}**"


def _mb(number: float | None) -> str:
    return "" if number is None else f"{number:.0f}"
