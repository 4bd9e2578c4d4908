"""The care console at scale: a large order, lists over many orders, and many open pages while nothing moves."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from statistics import quantiles
from typing import Any, Final
from urllib.parse import quote

import httpx2
from pydantic import BaseModel
from sqlalchemy import create_engine, text

from api.access.principal import Principal, Scope
from api.access.sessions import CONSOLE, Sessions
from bench.callers import caller_of
from bench.kinds import Kind, business_vpn, new_body
from bench.processes.cpu import cpu_seconds
from bench.section import Part, Plan, table
from bench.sections.growth import TASKS_OF_THE_WHOLE, TASKS_PER_SITE
from bench.sections.register import fill, size_of
from bench.stack import Benched
from ops.local.process import StackError
from register import Register
from register.tables.orders import ORDERS
from tests.api.console.browser import chromium, tab

TASKS, TASKS_QUICKLY = 1000, 50
ASKED, ASKED_QUICKLY = 40, 5
OPEN, OPEN_QUICKLY = 200, 20
WATCHED_S, WATCHED_QUICKLY_S = 60, 2
SERVER_MS, OPENS_MS, OF_A_CORE = 300, 1000, 0.1
"""What is aimed at."""

_TEMPORAL: Final = "temporal"
_PEOPLE_WITHIN_S: Final = 300
_ENDED_FOR_S: Final = 15


class Opened(BaseModel):
    """Milliseconds until a page has come from the server; in a browser, until it is shown, and until it has scrolled.

    The browser's are None where there is none.
    """

    p50_ms: float
    p95_ms: float
    kb: float
    shown_ms: float | None = None
    scrolled_ms: float | None = None


class Idle(BaseModel):
    """Shares of a core that processes took while nothing moved, without consoles and with so many open."""

    consoles: int
    api: float
    api_without: float
    temporal: float
    temporal_without: float


async def run(bench: Benched, plan: Plan) -> Part:
    """A large order in flight and done, on the stack's own API; all else on an API with a register that is full."""
    pages: dict[str, Opened] = {}
    tasks = TASKS_QUICKLY if plan.quick else TASKS
    async with AsyncExitStack() as running:
        browser = await running.enter_async_context(_browser(plan))
        order_id = await _waiting(bench, tasks)
        own = await _visitor(running, bench.settings.api_address, bench.settings.register_address)
        for name in ("in flight", "done"):
            if name == "done":
                await _technicians_come(bench)
            await _until(own, order_id, "completed" if name == "done" else "inProgress")
            if name == "done" and not plan.quick:  # What has only just ended its workflow is asked for.
                await asyncio.sleep(_ENDED_FOR_S)
            for title, path in {f"order of {tasks} tasks": "", "its tasks as a table": "/timeline"}.items():
                title = f"{title}, {name}"
                pages[title] = await _opened(own, browser, f"/orders/{order_id}{path}", plan, title)
        folder = running.enter_context(tempfile.TemporaryDirectory(prefix="orderpipe-bench-console-"))
        url = f"sqlite:///{Path(folder) / 'register.db'}"
        _filled(url, size_of(plan))
        port, pid = await running.enter_async_context(
            bench.api_of_its_own(codec_open=False, ORDERPIPE_REGISTER_URL=url)
        )
        # It is told the same address as the stack's own, after which its cookie is named.
        visitor = await _visitor(running, f"http://127.0.0.1:{port}", url, bench.settings.api_address)
        for name, path in _LISTS.items():
            pages[name] = await _opened(visitor, browser, path, plan, name)
        idle = await _idle(bench, visitor, pid, plan)
    plan.say(f"console: {idle.consoles} open pages: {idle.api:.3f} of a core")
    figures = {"pages": {name: page.model_dump() for name, page in pages.items()}, "idle": idle.model_dump()}
    return Part({"console": figures}, _markdown(pages, idle, size_of(plan)))


_NAME: Final = caller_of(0).name.split()[1]
_LISTS: Final = {
    "desk": "/",
    "latest orders": "/orders",
    "orders by state": "/orders?state=held",
    "orders by expected date": "/orders?state=inProgress&sort=expectedAt",
    "orders by a name": f"/orders?q={_NAME}",
    "orders, page 100": "/orders?offset=5000",
    "search by a town": f"/search?q={quote(caller_of(0).city)}",
    "fallout": "/fallout",
}


class _Visitor:
    """Somebody who is logged in to the console of one API."""

    def __init__(self, http: httpx2.AsyncClient, address: str, cookie: tuple[str, str]) -> None:
        self.http, self.address, self.cookie = http, address, cookie

    async def page(self, path: str) -> httpx2.Response:
        """A page that is there."""
        return (await self.http.get(f"{CONSOLE}{path}")).raise_for_status()


async def _visitor(running: AsyncExitStack, address: str, register_url: str, known_as: str | None = None) -> _Visitor:
    sessions = Sessions(known_as or address)
    with closing(Register(register_url)) as register:
        sessions.kept = register.console_sessions
        session = await sessions.begin(Principal("bench", frozenset([Scope.OPERATE])))
    limits = httpx2.Limits(max_connections=None)
    http = httpx2.AsyncClient(
        base_url=address, cookies={sessions.cookie: session}, timeout=60, trust_env=False, limits=limits
    )
    return _Visitor(await running.enter_async_context(http), address, (sessions.cookie, session))


@asynccontextmanager
async def _browser(plan: Plan) -> AsyncIterator[Any]:
    """Chromium, or None where it is not installed, or there is no time for it."""
    if plan.quick or shutil.which("chromium") is None:
        yield None
        return
    async with chromium() as browser:
        yield browser


# A large order


async def _waiting(bench: Benched, tasks: int) -> str:
    """An order whose technicians do not come before they are told to."""
    await bench.fresh_silos()
    (await bench.silos.put("/_sim/field-service/pace", json={"completes_after_ms": None})).raise_for_status()
    sites = (tasks - TASKS_OF_THE_WHOLE) // TASKS_PER_SITE
    kind = Kind(f"vpn-{tasks}", f"VPN of {tasks} tasks", business_vpn(sites), orders=1, in_flight=1)
    headers = {"authorization": f"Bearer {bench.token(Scope.OPERATE)}"}
    address = f"{bench.settings.api_address}/tmf-api/productOrderingManagement/v4/productOrder"
    async with httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
        return str((await http.post(address, json=new_body(kind))).raise_for_status().json()["id"])


async def _until(visitor: _Visitor, order_id: str, state: str) -> None:
    """Wait until the order is in a state, and its page says the same for a while: it is at rest, and recorded."""
    deadline = time.monotonic() + _PEOPLE_WITHIN_S
    rests, last = 0, ""
    while rests < 3:
        if time.monotonic() > deadline:
            raise StackError(f"order {order_id} did not come to rest in state {state}")
        await asyncio.sleep(1)
        found = (await visitor.page(f"/orders.csv?q={order_id}")).text
        rests = rests + 1 if found == last and f",{state}," in found else 0
        last = found


async def _technicians_come(bench: Benched) -> None:
    (await bench.silos.put("/_sim/field-service/pace", json={"completes_after_ms": 0})).raise_for_status()
    everything = {"match": "", "outcome": "completed"}
    (await bench.silos.post("/_sim/field-service/complete", json=everything)).raise_for_status()


# Pages


def _filled(url: str, size: int) -> None:
    with closing(Register(url)) as register:
        fill(register, size)
        # Else customers are told of all of them, which goes on for long.
        with register.database.writing() as connection:
            connection.execute(ORDERS.update().values(heard=ORDERS.c.version))
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))


async def _opened(visitor: _Visitor, browser: Any, path: str, plan: Plan, title: str) -> Opened:
    """A page, again and again; the first time, which fills caches, is not counted."""
    size = len((await visitor.page(path)).content)
    times: list[float] = []
    for _ in range(ASKED_QUICKLY if plan.quick else ASKED):
        began = time.perf_counter()
        await visitor.page(path)
        times.append(1000 * (time.perf_counter() - began))
    cut = quantiles(times, n=20)
    found = Opened(p50_ms=cut[9], p95_ms=cut[18], kb=size / 1024)
    if browser is not None:
        async with tab(browser, visitor.address, visitor.cookie) as opened:
            await opened.go("/catalog")  # What every page loads is kept from here on.
            await opened.go(path)
            found.shown_ms = await opened.page.evaluate(
                "performance.getEntriesByType('navigation')[0].loadEventEnd || performance.now()"
            )
            found.scrolled_ms = await opened.page.evaluate(_SCROLL)
    plan.say(f"console: {title}: {found.p95_ms:.0f} ms at the 95th percentile")
    return found


_SCROLL: Final = """() => new Promise((done) => {
  const began = performance.now();
  window.scrollTo(0, document.documentElement.scrollHeight);
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
})"""


# Open pages


async def _idle(bench: Benched, visitor: _Visitor, pid: int, plan: Plan) -> Idle:
    """What open consoles cost while nothing moves: half of them look at one order, the others at a list."""
    pids = {"api": pid, _TEMPORAL: bench.orderpipe.pids[_TEMPORAL]}
    seconds = WATCHED_QUICKLY_S if plan.quick else WATCHED_S
    without = await _shares(pids, seconds)
    number = OPEN_QUICKLY if plan.quick else OPEN
    listed = (await visitor.page("/orders.csv?state=held")).text.splitlines()
    one = listed[1].partition(",")[0]
    async with AsyncExitStack() as streams:
        for each in range(number):
            path = "/changes" if each % 2 else f"/changes?order={one}"
            stream = await streams.enter_async_context(visitor.http.stream("GET", f"{CONSOLE}{path}"))
            stream.raise_for_status()
        await asyncio.sleep(3)  # What was written right before is told to all at first.
        found = await _shares(pids, seconds)
    return Idle(
        consoles=number,
        api=found["api"],
        api_without=without["api"],
        temporal=found[_TEMPORAL],
        temporal_without=without[_TEMPORAL],
    )


async def _shares(pids: Mapping[str, int], seconds: float) -> dict[str, float]:
    """How much of a core each process takes for so long."""
    before, began = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic()
    await asyncio.sleep(seconds)
    lasted = time.monotonic() - began
    return {name: (cpu_seconds(pid) - before[name]) / lasted for name, pid in pids.items()}


def _markdown(pages: Mapping[str, Opened], idle: Idle, size: int) -> str:
    rows = [
        (name, f"{page.p50_ms:.0f}", f"{page.p95_ms:.0f}", f"{page.kb:,.0f}", _ms(page.shown_ms), _ms(page.scrolled_ms))
        for name, page in pages.items()
    ]
    shares = [
        ("API", f"{idle.api_without:.3f}", f"{idle.api:.3f}"),
        ("Temporal", f"{idle.temporal_without:.3f}", f"{idle.temporal:.3f}"),
    ]
    return "\n\n".join(
        [
            f"## The console: a large order, lists over {size:,} orders, {idle.consoles} open pages",
            "Milliseconds until a page has come, one after the other, and in Chromium until it is loaded, and until a "
            f"scroll to its end is drawn. The aims are {SERVER_MS} from the server, and {OPENS_MS} in the browser. "
            "The large order is on the stack's own register, the lists on one that was filled.",
            table(("page", "p50 ms", "p95 ms", "KB", "shown ms", "scrolled ms"), rows),
            f"Shares of a core while nothing moves, without an open page and with {idle.consoles}; the aim is less "
            f"than {OF_A_CORE} for the API, and nothing for Temporal, whose own work goes on in both columns.",
            table(("process", "none open", f"{idle.consoles} open"), shares),
        ]
    )


def _ms(time_ms: float | None) -> str:
    return "" if time_ms is None else f"{time_ms:.0f}"
