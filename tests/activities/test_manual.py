"""Silos whose work people do: each call is a work item."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from activities.protocols.manual import NOT_OFFERED, Manual
from activities.protocols.protocol import SiloUnavailable
from orders.fulfilment.messages import SiloCall
from orders.model.values import Verb
from orders.read_model.work_state import WorkState
from orders.reconcile.outcome import Outcome, OutcomeKind
from register import Register
from register.work_items.item import WorkItem, item_id
from tests.activities.bench import Bench, call

PLACE = {"street": "Lindenweg", "house_number": "7", "city": "Musterstadt", "metres": 20}
OFFICE = "construction-office"


@pytest.fixture(name="service")
def a_thing_of_its_own() -> str:
    return f"i{uuid4().hex[:8]}.1/building/permit/0"


def permit(service: str, n: int = 0, *, awaited: Verb | None = None, **inputs: Any) -> SiloCall:
    return call(n, of=service, awaited=awaited, operation="permit", **PLACE | inputs)


def kept(bench: Bench, service: str) -> WorkItem:
    found = bench.register.work_items.find(item_id(service))
    assert found is not None
    return found


def done(bench: Bench, service: str) -> None:
    now = datetime.now(UTC)
    assert bench.register.work_items.end(kept(bench, service), WorkState.DONE, "Ada", now, outputs={"n": "P-1"})


async def test_a_call_is_a_work_item_by_its_template_and_is_awaited(bench: Bench, service: str) -> None:
    for attempt in (1, 2):
        outcome = await bench.provision(OFFICE, permit(service), attempt=attempt)
        assert outcome.kind is OutcomeKind.ACKNOWLEDGED
    work = kept(bench, service)
    assert (work.title, work.group) == ("Permit to dig at Lindenweg 7, Musterstadt", "construction")
    assert "for 20 metres" in work.instructions
    assert work.due_at is not None and (work.due_at - work.opened_at).days == 14
    assert (await bench.inspect(OFFICE, permit(service, awaited=Verb.PROVISION))).kind is OutcomeKind.ACKNOWLEDGED


async def test_what_became_of_it_is_seen_though_its_report_is_lost(bench: Bench, service: str) -> None:
    await bench.provision(OFFICE, permit(service))
    done(bench, service)
    told = await bench.inspect(OFFICE, permit(service, awaited=Verb.PROVISION))
    assert told == Outcome(OutcomeKind.DONE, {"n": "P-1"})
    held = await bench.inspect(OFFICE, permit(service))
    assert (held.kind, held.outputs) == (OutcomeKind.DONE, {**PLACE, "n": "P-1"})
    assert (await bench.amend(OFFICE, permit(service, 1, metres=30))).kind is OutcomeKind.ACKNOWLEDGED
    assert (await bench.compensate(OFFICE, permit(service, 2))).kind is OutcomeKind.ACKNOWLEDGED
    done(bench, service)
    assert (await bench.inspect(OFFICE, permit(service, 2, awaited=Verb.COMPENSATE))).kind is OutcomeKind.DONE
    assert (await bench.inspect(OFFICE, permit(service))).kind is OutcomeKind.LOST


async def test_what_was_never_there_is_undone_and_cannot_be_amended(bench: Bench, service: str) -> None:
    assert (await bench.amend(OFFICE, permit(service, 1))).kind is OutcomeKind.LOST
    assert (await bench.compensate(OFFICE, permit(service, 2))).kind is OutcomeKind.DONE
    assert (await bench.provision(OFFICE, permit(service))).kind is OutcomeKind.LOST


async def test_what_the_catalog_has_no_work_for_is_refused(bench: Bench, service: str) -> None:
    outcome = await bench.provision(OFFICE, call(of=service, operation="other"))
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, NOT_OFFERED)


async def test_a_register_that_does_not_answer_is_a_silo_that_does_not(
    bench: Bench, service: str, tmp_path: Path
) -> None:
    with (
        closing(Register(f"sqlite:///{tmp_path}")) as unreachable,  # A folder is no database.
        pytest.raises(SiloUnavailable, match="the register does not answer"),
    ):
        await Manual(bench.silo(OFFICE), unreachable.work_items).provision(permit(service))
