"""Several calls in one activity: each to its own outcome, and none held up for long by another."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections import Counter
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.protocols.protocol import SiloUnavailable
from orders.fulfilment.messages import Open, OpenCall, SiloCalls
from orders.model.catalog import Silo
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from tests.activities.bench import Bench, attempted, call
from tests.activities.moody import Moody, calls, key, patient


@pytest.fixture
def moody(bench: Bench) -> Moody:
    return Moody(bench)


async def test_one_refused_one_lost_one_slow_and_one_done_are_four_answers(moody: Moody) -> None:
    moody.moods = {key("refused"): moody.refused, key("lost"): moody.lost, key("slow"): moody.slow}
    provision = moody.bench.activity(patient(moody.bench), Verb.PROVISION)
    told = await attempted(provision, calls("refused", "lost", "slow", "done"))
    refused, lost, slow, done = told.answers
    assert refused == Outcome(OutcomeKind.REFUSED, code="no_coverage")
    assert isinstance(lost, OpenCall)
    assert (lost.open, lost.tried) == (Open.NO_ANSWER, 1)
    assert "ReadError" in lost.reason
    assert slow == OpenCall(Open.GOING_ON, 0)
    assert done == Outcome(OutcomeKind.DONE)

    # The slow one is asked for again, on its own, and was made but once.
    moody.may_go_on.set()
    again = dataclasses.replace(calls("slow"), going_on=True)
    assert (await attempted(provision, again)).answers == [Outcome(OutcomeKind.DONE)]
    assert moody.made == Counter(map(key, ("refused", "lost", "slow", "done")))


async def test_a_slow_call_that_another_worker_began_is_made_again_under_its_key(moody: Moody) -> None:
    again = dataclasses.replace(calls("slow"), going_on=True)
    provision = moody.bench.activity(patient(moody.bench), Verb.PROVISION)
    assert (await attempted(provision, again)).answers == [Outcome(OutcomeKind.DONE)]
    assert moody.made == {key("slow"): 1}


async def test_calls_that_are_all_slow_are_waited_for(moody: Moody) -> None:
    moody.moods = {key(name): moody.slow for name in ("a", "b")}
    silo = patient(moody.bench)
    running = asyncio.create_task(attempted(moody.bench.activity(silo, Verb.PROVISION), calls("a", "b")))
    await asyncio.sleep(3 * silo.patience.total_seconds())
    assert not running.done()
    moody.may_go_on.set()
    assert (await running).answers == [Outcome(OutcomeKind.DONE)] * 2


async def test_where_no_call_has_an_answer_all_are_left_to_temporal_which_is_told_each(moody: Moody) -> None:
    moody.moods = {key("a"): moody.lost, key("b"): moody.lost}
    with pytest.raises(SiloUnavailable) as caught:
        await attempted(moody.bench.activity(patient(moody.bench), Verb.PROVISION), calls("a", "b"))
    assert caught.value.message.startswith("2 calls without a usable answer: voice gave no answer: ReadError cut: ")
    assert caught.value.message.endswith(f"{key('a')}, {key('b')}")


async def test_how_long_a_silo_wants_to_be_left_alone_is_told_of_each_call(moody: Moody) -> None:
    moody.moods = {key("lost"): moody.lost, key("busy"): moody.busy}
    provision = moody.bench.activity(patient(moody.bench), Verb.PROVISION)
    told = await attempted(provision, calls("lost", "busy"))
    assert [each.retry_after_s for each in told.answers if isinstance(each, OpenCall)] == [None, 7]
    moody.moods = {key("a"): moody.busy, key("b"): moody.busy}
    with pytest.raises(SiloUnavailable) as caught:
        await attempted(provision, calls("a", "b"))
    assert caught.value.next_retry_delay == timedelta(seconds=7)


async def test_attempts_are_counted_on_from_those_of_earlier_activities(moody: Moody) -> None:
    moody.moods = {key("lost"): moody.lost}
    asked = dataclasses.replace(calls("lost", "done"), tried=4)
    lost, _ = (await attempted(moody.bench.activity(patient(moody.bench), Verb.PROVISION), asked, attempt=3)).answers
    assert isinstance(lost, OpenCall)
    assert lost.tried == 7


async def test_no_more_calls_are_under_way_than_the_silo_takes(moody: Moody) -> None:
    names = [f"i{number}" for number in range(8)]
    moody.moods = {key(name): moody.a_moment for name in names}
    silo = patient(moody.bench, concurrency=3)
    told = await attempted(moody.bench.activity(silo, Verb.PROVISION), calls(*names))
    assert told.answers == [Outcome(OutcomeKind.DONE)] * 8
    assert moody.most_under_way == 3


async def test_what_has_yet_to_begin_in_time_is_given_back_untried(moody: Moody) -> None:
    moody.moods = {key("slow"): moody.slow}
    provision = moody.bench.activity(patient(moody.bench, concurrency=1), Verb.PROVISION)
    running = asyncio.create_task(attempted(provision, calls("slow", "second")))
    await asyncio.sleep(0.3)
    moody.may_go_on.set()
    assert (await running).answers == [Outcome(OutcomeKind.DONE), OpenCall(Open.NOT_MADE, 0)]
    assert moody.made == {key("slow"): 1}
    assert (await attempted(provision, calls("second"))).answers == [Outcome(OutcomeKind.DONE)]


async def test_the_calls_of_a_batch_keep_to_the_rate(moody: Moody) -> None:
    provision = moody.bench.activity(moody.bench.silo("voice", rate_per_second=40), Verb.PROVISION)
    begun = time.monotonic()
    told = await attempted(provision, calls(*(f"i{number}" for number in range(9))))
    assert told.answers == [Outcome(OutcomeKind.DONE)] * 9
    assert time.monotonic() - begun >= 8 / 40 - 0.01


async def test_a_stopping_worker_tells_what_is_known(moody: Moody) -> None:
    moody.moods = {key("slow"): moody.slow}
    silo = moody.bench.silo("voice", call_timeout=timedelta(minutes=1))
    environment = ActivityEnvironment()
    running = asyncio.create_task(environment.run(moody.bench.activity(silo, Verb.PROVISION), calls("slow", "done")))
    while moody.made.total() < 2:  # noqa: ASYNC110 (the silo is asked from here)
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    environment.cancel()
    slow, done = (await running).answers
    assert slow == OpenCall(Open.NO_ANSWER, 1, "the worker stopped")
    assert done == Outcome(OutcomeKind.DONE)


# Silos without keys


@pytest.fixture
def tv(bench: Bench) -> Silo:
    silo = bench.silo("tv", call_timeout=timedelta(milliseconds=200))
    assert silo.retry == "inspect"
    return silo


async def test_without_keys_a_call_that_may_be_under_way_elsewhere_is_waited_for_and_looked_at(
    bench: Bench, tv: Silo
) -> None:
    begun = time.monotonic()
    there = asyncio.get_running_loop().call_later(
        tv.call_timeout.total_seconds(), lambda: elsewhere.append(asyncio.create_task(bench.provision(tv, call())))
    )
    elsewhere: list[asyncio.Task[Outcome]] = []
    told = await attempted(bench.activity(tv, Verb.PROVISION), SiloCalls([call()], going_on=True))
    assert there.cancelled() is False
    assert told.answers == [await elsewhere[0]]
    assert time.monotonic() - begun >= 2 * tv.call_timeout.total_seconds()
    assert await bench.journal("tv") == ["provision applied", "inspect applied"]


async def test_without_keys_each_call_of_a_batch_is_looked_at_before_it_is_repeated(bench: Bench) -> None:
    await bench.provision("tv", call(of="a/fibre/thing/0"))
    told = await attempted(bench.activity(bench.silo("tv"), Verb.PROVISION), calls("a", "b"), attempt=2)
    assert [each.kind for each in told.answers if isinstance(each, Outcome)] == [OutcomeKind.DONE] * 2
    assert sorted((await bench.journal("tv"))[1:]) == ["inspect applied", "inspect refused", "provision applied"]
