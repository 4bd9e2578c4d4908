"""How soon the register answers, filled with orders: lists, counts and searches, on SQLite and PostgreSQL."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from pydantic import BaseModel
from sqlalchemy import create_engine, text

from bench.callers import Caller, caller_of, write_terms_of
from bench.section import Part, Plan, table
from bench.stack import Benched
from orders.model.order import Site
from orders.model.writing.words import readings
from orders.read_model.states import LifecycleState
from orders.read_model.views import FalloutView, GivenView, ItemView, OrderView
from register import Register
from register.recording.rows import fallout_rows, item_rows, offering_rows, order_row
from register.searching.query import Comparison, OrderField, OrderQuery, Predicate, Visibility
from register.tables.orders import ITEMS, ORDER_OFFERINGS, ORDERS
from register.tables.people import ORDER_FALLOUT
from tests.running.postgres import find_programs, fresh_database, postgres_server

ORDERS_FILLED, ORDERS_FILLED_QUICKLY = 100_000, 2_000
ORDERS_A_CUSTOMER = 5
ASKED, ASKED_QUICKLY = 200, 20
BATCH = 5_000

_STATES = (LifecycleState.COMPLETED,) * 17 + (
    LifecycleState.CANCELLED,
    LifecycleState.IN_PROGRESS,
    LifecycleState.HELD,
)
_CHANNELS = ("web", "web", "web", "shop", "shop", "call-centre", "partner")
_OFFERINGS = ("mobile-s", "fibre-100", "fibre-1000", "tv-basic", "voice-line")
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Answers(BaseModel):
    """Milliseconds of one kind of question, the page of 20 orders and their total count together."""

    p50_ms: float
    p95_ms: float


async def run(bench: Benched, plan: Plan) -> Part:
    """Fill a register on each database, and ask."""
    found: dict[str, dict[str, Answers]] = {}
    with tempfile.TemporaryDirectory(prefix="orderpipe-bench-register-") as folder:
        found["sqlite"] = _measured(f"sqlite:///{Path(folder) / 'register.db'}", "sqlite", plan)
    programs = find_programs()
    if programs is None:
        plan.say("register: there is no PostgreSQL server here")
    else:
        with postgres_server(programs) as server, fresh_database(server) as url:
            found["postgresql"] = _measured(url, "postgresql", plan)
    figures = {name: {query: one.model_dump() for query, one in asked.items()} for name, asked in found.items()}
    return Part({"register": figures}, _markdown(found, size_of(plan)))


def size_of(plan: Plan) -> int:
    """How many orders there are to be."""
    return ORDERS_FILLED_QUICKLY if plan.quick else ORDERS_FILLED


def _measured(url: str, name: str, plan: Plan) -> dict[str, Answers]:
    with closing(Register(url)) as register:
        fill(register, size_of(plan))
        # What autovacuum does in time, and SQLite's own advice for a database that was filled.
        with create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("ANALYZE" if name == "sqlite" else "VACUUM ANALYZE"))
        chance = random.Random(1)
        answers: dict[str, Answers] = {}
        for query, question in _questions(size_of(plan), chance).items():
            times = [_time(register, question()) for _ in range(ASKED_QUICKLY if plan.quick else ASKED)]
            cut = quantiles(times, n=20)
            answers[query] = Answers(p50_ms=cut[9], p95_ms=cut[18])
        slowest = max(answer.p95_ms for answer in answers.values())
        plan.say(f"register: {size_of(plan)} orders on {name}: p95 {slowest:.1f} ms at most")
        return answers


def _time(register: Register, query: OrderQuery) -> float:
    began = time.perf_counter()
    register.search.orders(query)
    return 1000 * (time.perf_counter() - began)


def _questions(size: int, chance: random.Random) -> dict[str, Callable[[], OrderQuery]]:
    def asked(*where: Predicate, sight: Visibility | None = None, limit: int = 20, offset: int = 0) -> OrderQuery:
        return OrderQuery(where=where, visible_to=sight, limit=limit, offset=offset)

    partner = Visibility(channel="partner")

    def state(*options: LifecycleState) -> Predicate:
        return Predicate(OrderField.STATE, Comparison.EQ, str(chance.choice(options or _STATES)))

    def customer() -> Predicate:
        return Predicate(OrderField.CUSTOMER_ID, Comparison.EQ, _customer(chance.randrange(size)))

    def words(*known: Callable[[Caller], str]) -> Callable[[], OrderQuery]:
        def question() -> OrderQuery:
            caller = caller_of(chance.randrange(size))
            return OrderQuery(words=readings(" ".join(each(caller) for each in known)), limit=20)

        return question

    return {
        "list_by_customer": lambda: asked(customer()),
        "list_by_state": lambda: asked(state()),
        "list_by_customer_and_state": lambda: asked(customer(), state()),
        "list_by_offering": lambda: asked(
            Predicate(OrderField.OFFERING, Comparison.EQ, chance.choice(_OFFERINGS)), state(LifecycleState.HELD)
        ),
        "list_in_fallout": lambda: asked(Predicate(OrderField.FALLOUT_SILO, Comparison.EQ, "tv")),
        "list_latest": lambda: asked(offset=20 * chance.randrange(50)),
        "list_of_a_channel": lambda: asked(state(LifecycleState.HELD), sight=Visibility(channel="partner")),
        "count_by_state": lambda: asked(state(), limit=0),
        "count_all": lambda: asked(limit=0),
        "search_by_name": words(lambda caller: caller.name),
        "search_by_family_name": words(lambda caller: caller.name.split()[1]),
        "search_by_beginning_of_a_name": words(lambda caller: caller.name.split()[1][:3]),
        "search_by_street_and_town": words(lambda caller: caller.street, lambda caller: caller.city),
        "search_by_town_and_name": words(lambda caller: caller.city, lambda caller: caller.name.split()[1]),
        "search_by_town": words(lambda caller: caller.city),
        "search_by_telephone_number": words(lambda caller: f"0{caller.phone[3:6]} {caller.phone[6:]}"),
        "search_by_serial_number": words(lambda caller: caller.serial),
        "search_by_external_id": words(lambda caller: caller.external_id),
        "search_by_offering_and_name": words(lambda _: "fibre-100", lambda caller: caller.name),
        "search_of_a_channel": lambda: replace(words(lambda caller: caller.name)(), visible_to=partner),
    }


def fill(register: Register, size: int) -> None:
    """Write so many orders of all kinds and states into an empty register."""
    numbers = range(size)
    for first in range(0, size, BATCH):
        views = [_view(number) for number in numbers[first : first + BATCH]]
        with register.database.writing() as connection:
            connection.execute(ORDERS.insert(), [order_row(1, view) for view in views])
            write_terms_of(connection, views)
            for to, rows in ((ORDER_OFFERINGS, offering_rows), (ORDER_FALLOUT, fallout_rows), (ITEMS, item_rows)):
                if written := [row for view in views for row in rows(view)]:
                    connection.execute(to.insert(), written)


def _view(number: int) -> OrderView:
    chance = random.Random(number)
    state = chance.choice(_STATES)
    order_id = f"{chance.choice(_CHANNELS)}-{number:012x}"
    ended = state in (LifecycleState.COMPLETED, LifecycleState.CANCELLED)
    ordered_at = _BEGIN + timedelta(minutes=number)
    caller = caller_of(number)
    items = tuple(_items(order_id, state, chance, caller))
    return OrderView(
        id=order_id,
        external_id=caller.external_id,
        customer_id=_customer(number),
        channel=order_id.rsplit("-", 1)[0],
        state=state,
        revision=1,
        catalog="0123456789abcdef",
        ordered_at=ordered_at,
        requested_start=None,
        requested_completion=None,
        promised_at=ordered_at + timedelta(days=10),
        expected_at=None if ended else ordered_at + timedelta(days=9),
        completed_at=ordered_at + timedelta(days=8) if ended else None,
        in_jeopardy=False,
        items=items,
        silos=(),
        fallout=_fallout(order_id) if state is LifecycleState.HELD else (),
        changes=(),
        given=(GivenView(task="stock", silo="warehouse", name="serial", value=caller.serial, items=("1",), since=""),),
        body={
            "externalId": caller.external_id,
            "relatedParty": [
                {"id": _customer(number), "name": caller.name, "role": "customer", "@referredType": "Individual"}
            ],
            "notificationContact": caller.phone,
            "productOrderItem": [{"id": item.id, "productOffering": {"id": item.offering}} for item in items],
        },
    )


def _items(order_id: str, state: LifecycleState, chance: random.Random, caller: Caller) -> Iterator[ItemView]:
    site = Site(id=f"site-{order_id}", address=caller.address)
    for number, offering in enumerate(chance.sample(_OFFERINGS, 3), start=1):
        yield ItemView(
            id=str(number),
            offering=offering,
            action="add",
            state=state,
            quantity=1,
            products=(f"{order_id}.{number}.1",),
            characteristics={"colour": "blue", "size": number},
            site=site,
            tasks=5,
            tasks_done=5,
        )


def _fallout(order_id: str) -> tuple[FalloutView, ...]:
    task = f"{order_id}.1.1/tv/activate"
    return (FalloutView(task=task, silo="tv", verb="provision", code="E1", reason="no", since="2026-01-01T00:00:00Z"),)


def _customer(number: int) -> str:
    return f"cust-{number // ORDERS_A_CUSTOMER}"


def _markdown(found: dict[str, dict[str, Answers]], size: int) -> str:
    rows = [
        (query.replace("_", " "), *(f"{found[name][query].p95_ms:.1f}" for name in found)) for query in found["sqlite"]
    ]
    return "\n\n".join(
        [
            f"## The register with {size:,} orders",
            "95th percentile in milliseconds. A list is a page of 20 whole orders, with the number of all that fit; so "
            "is what a search finds by words, of which each order has some twenty. The aim for searches is 50.",
            table(("question", *found), rows),
        ]
    )
