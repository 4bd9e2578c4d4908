"""`retry: inspect`: a silo that would do twice what it is told twice is asked what it holds before a repetition."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from temporalio.testing import ActivityEnvironment

from activities.protocols.protocol import SiloUnavailable
from orders.fulfilment.messages import SiloCalls
from orders.model.catalog import Silo
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from tests.activities.bench import THING, Bench, brief, call

DONE, REFUSED = OutcomeKind.DONE, OutcomeKind.REFUSED


@pytest.fixture
def tv(bench: Bench) -> Silo:
    """The one silo of the catalog that is older than idempotency keys."""
    silo = bench.silo("tv")
    assert silo.retry == "inspect"
    return brief(silo)


@contextmanager
def at_once(silo: Silo) -> Iterator[None]:
    """Nothing is waited out."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < silo.call_timeout.total_seconds()


async def lose_the_answer(bench: Bench, silo: Silo, verb: Verb, **inputs: Any) -> None:
    """Make a first attempt that takes effect, with nobody hearing of it."""
    await bench.faults("tv", lose_response_rate=1.0)
    with pytest.raises(SiloUnavailable):
        await bench.run(silo, verb, call(**inputs))
    await bench.faults("tv")


async def test_a_provision_that_took_effect_unheard_is_found_held(bench: Bench, tv: Silo) -> None:
    await lose_the_answer(bench, tv, Verb.PROVISION, operation="subscription", pack="sports", note=None)
    outcome = await bench.provision(tv, call(operation="subscription", pack="sports", note=None), attempt=2)
    assert outcome == Outcome(DONE, {"pack": "sports", "note": None, "tv_id": "TV-0000001"})
    assert await bench.journal("tv") == ["provision applied", "inspect applied"]


async def test_an_amendment_that_took_effect_unheard_is_found_held(bench: Bench, tv: Silo) -> None:
    await bench.provision(tv, call(pack="news"))
    await lose_the_answer(bench, tv, Verb.AMEND, pack="sports")
    assert await bench.amend(tv, call(pack="sports"), attempt=2) == Outcome(DONE, {"pack": "sports"})
    assert await bench.journal("tv") == ["provision applied", "amend applied", "inspect applied"]


async def test_a_compensation_that_took_effect_unheard_is_found_done(bench: Bench, tv: Silo) -> None:
    await bench.provision(tv, call())
    await lose_the_answer(bench, tv, Verb.COMPENSATE)
    assert await bench.compensate(tv, call(), attempt=2) == Outcome(DONE)
    assert await bench.journal("tv") == ["provision applied", "compensate applied", "inspect refused"]


@pytest.mark.parametrize("verb", [Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE])
async def test_a_call_that_took_no_effect_is_repeated(bench: Bench, tv: Silo, verb: Verb) -> None:
    if verb is not Verb.PROVISION:
        await bench.provision(tv, call(pack="news"))
    await bench.faults("tv", error_rate=1.0)
    with pytest.raises(SiloUnavailable):
        await bench.run(tv, verb, call(pack="sports"))
    await bench.faults("tv")
    assert (await bench.run(tv, verb, call(pack="sports"), attempt=2)).kind is DONE
    assert await bench.held("tv") == ({} if verb is Verb.COMPENSATE else {THING: {"pack": "sports"}})


async def test_an_input_that_was_left_to_the_silo_does_not_count_when_it_looks(bench: Bench) -> None:
    numbers = bench.silo("number-inventory", retry="inspect")
    first = await bench.provision(numbers, call(operation="number", number=None))
    assert await bench.provision(numbers, call(operation="number", number=None), attempt=2) == first
    assert await bench.journal("number-inventory") == ["provision applied", "inspect applied"]


async def test_an_input_taken_away_is_not_taken_for_one_filled_in_by_the_silo(bench: Bench, tv: Silo) -> None:
    await bench.provision(tv, call(pack="news", extra="4k"))
    assert (await bench.amend(tv, call(pack="news", extra=None), attempt=2)).kind is DONE
    assert await bench.held("tv") == {THING: {"pack": "news", "extra": None}}


async def test_a_first_attempt_does_not_look_first(bench: Bench, tv: Silo) -> None:
    await bench.provision(tv, call())
    assert await bench.journal("tv") == ["provision applied"]


async def test_a_provision_repeated_as_a_new_activity_is_found_held_all_the_same(bench: Bench, tv: Silo) -> None:
    await bench.provision(tv, call(pack="sports"))
    assert await bench.provision(tv, call(pack="sports")) == Outcome(DONE, {"pack": "sports"})


async def test_what_is_held_otherwise_than_asked_for_is_for_a_person_to_look_at(bench: Bench, tv: Silo) -> None:
    # Not refused: that would mean that nothing is held.
    await bench.provision(tv, call(pack="news"))
    for attempt in (1, 2):
        outcome = await bench.provision(tv, call(pack="sports"), attempt=attempt)
        assert (outcome.kind, outcome.code) == (OutcomeKind.UNKNOWN, "already_provisioned")


async def test_a_compensation_of_what_was_never_there_is_done(bench: Bench, tv: Silo) -> None:
    assert await bench.compensate(tv, call()) == Outcome(DONE)


async def test_an_amendment_of_what_is_not_there_tells_that_it_is_lost(bench: Bench, tv: Silo) -> None:
    for attempt in (1, 2):
        assert (await bench.amend(tv, call(1), attempt=attempt)).kind is OutcomeKind.LOST


async def test_a_refusal_for_good_is_an_outcome(bench: Bench, tv: Silo) -> None:
    await bench.faults("tv", permanent=[{"operation": "*", "code": "region_closed"}])
    outcome = await bench.provision(tv, call(), attempt=2)
    assert (outcome.kind, outcome.code) == (REFUSED, "region_closed")


async def test_a_call_that_may_still_land_is_waited_out_before_it_is_given_up(bench: Bench, tv: Silo) -> None:
    await bench.faults("tv", lose_response_rate=1.0)
    begun = time.monotonic()
    with pytest.raises(SiloUnavailable):
        await bench.provision(tv, call())
    assert time.monotonic() - begun >= tv.call_timeout.total_seconds()


async def test_a_call_that_was_answered_is_given_up_at_once(bench: Bench) -> None:
    # With the patience of the shipped catalog, seconds of it: waiting it out would be noticed.
    await bench.faults("tv", outage=True)
    with at_once(bench.silo("tv")), pytest.raises(SiloUnavailable):
        await bench.provision("tv", call())


async def test_a_question_without_an_answer_is_given_up_at_once(bench: Bench) -> None:
    await bench.faults("tv", lose_response_rate=1.0)
    with at_once(bench.silo("tv")), pytest.raises(SiloUnavailable):
        await bench.inspect("tv", call())


async def test_an_attempt_takes_no_longer_than_the_workflow_allows_for(bench: Bench, tv: Silo) -> None:
    # The longest: a look that succeeds, then a call without an answer.
    assert tv.longest_attempt >= 3 * tv.call_timeout


async def test_a_stopping_worker_does_not_break_a_call_off(bench: Bench, tv: Silo) -> None:
    environment, sent = ActivityEnvironment(), asyncio.Event()

    async def is_sent(_: httpx2.Request) -> None:
        sent.set()

    bench.client.event_hooks = {"request": [is_sent], "response": []}
    try:
        asked = SiloCalls([call(pack="sports")])
        running = asyncio.create_task(environment.run(bench.activity(tv, Verb.PROVISION), asked))
        await sent.wait()
        environment.cancel()
        (outcome,) = (await running).answers
        assert isinstance(outcome, Outcome)
        assert outcome.kind is DONE
    finally:
        bench.client.event_hooks = {"request": [], "response": []}
    assert await bench.held("tv") == {THING: {"pack": "sports"}}
