"""What a worker knows of a silo's health, and what it makes of a call that has failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.calling.grant import Grant
from activities.calling.health import Health
from activities.calling.silo_activities import silo_activities
from activities.protocols.protocol import SiloUnavailable
from orders.fulfilment.messages import Open, OpenCall, SiloCalls
from orders.health.condition import Condition, Stage, Terms
from orders.health.steering import Window
from orders.model.catalog import Silo
from orders.model.silos.breaker import Breaker
from orders.model.values import Verb
from tests.activities.bench import Bench, attempted, brief, call

BREAKER = Breaker(failures=3, share=0.5)


@pytest.fixture
def silo(bench: Bench) -> Silo:
    return brief(bench.silo("voice", breaker=BREAKER, concurrency=2))


def condition(silo: Silo, **changes: object) -> Condition:
    return Condition.model_validate({"silo": silo.name, "terms": Terms.of(silo), "since": datetime.now(UTC), **changes})


def test_a_call_counts_once_however_often_it_has_failed(silo: Silo) -> None:
    health = Health(silo, Grant(silo))
    for _ in range(10):
        health.failed("a", 0.1)
        health.failed("b", 0.1)
    assert health.aside_since is None
    assert (health.figures().failed, health.figures().errors) == (2, 20)
    health.failed("c", 0.1)
    assert health.aside_since is not None


def test_a_call_that_is_answered_at_last_has_not_failed(silo: Silo) -> None:
    health = Health(silo, Grant(silo))
    for key in ("a", "b"):
        health.failed(key, 0.1)
    health.answered("a", 0.1)
    health.failed("c", 0.1)
    assert health.aside_since is None
    assert (health.figures().answered, health.figures().failed) == (1, 2)


def test_it_is_told_once_that_a_worker_stands_aside(silo: Silo) -> None:
    told = list[bool]()
    health = Health(silo, Grant(silo), tripped=lambda: told.append(True))
    for key in "abcdef":
        health.failed(key, 0.1)
    assert told == [True]


def test_a_breaker_that_is_switched_off_lets_every_call_count(silo: Silo) -> None:
    health = Health(silo.model_copy(update={"breaker": Breaker(enabled=False, failures=1)}), Grant(silo))
    health.failed("a", 0.1)
    assert health.aside_since is None


def test_few_failures_are_enough_while_the_rate_comes_back(silo: Silo) -> None:
    many = silo.model_copy(update={"breaker": Breaker(failures=100)})
    health = Health(many, Grant(many))
    health.told(condition(many, stage=Stage.HALF_OPEN))
    for key in "abc":
        health.failed(key, 0.1)
    assert health.aside_since is not None


async def test_whoever_comes_back_forgets_what_was(silo: Silo) -> None:
    health = Health(silo, Grant(silo))
    for key in "abc":
        health.failed(key, 0.1)
    assert await health.left_alone()
    health.come_back()
    assert not await health.left_alone()
    assert (health.figures().failed, health.figures().attempts) == (0, 0)


@pytest.mark.parametrize("verb", [Verb.PROVISION, Verb.COMPENSATE, Verb.INSPECT])
async def test_a_call_that_fails_while_the_silo_is_left_alone_counts_for_nothing(
    bench: Bench, silo: Silo, verb: Verb
) -> None:
    health = Health(silo, Grant(silo))
    health.told(condition(silo, stage=Stage.OPEN))
    run = dict(
        zip(Verb, silo_activities(silo, bench.client, bench.settings, Grant(silo), bench.register, health), strict=True)
    )[verb]
    await bench.faults("voice", outage=True)
    (answer,) = (await attempted(run, SiloCalls([call()], 4), attempt=3)).answers
    assert isinstance(answer, OpenCall)
    assert (answer.open, answer.tried) == (Open.LEFT_ALONE, 6)
    assert "503" in answer.reason


async def test_what_is_in_force_is_asked_for_where_a_call_has_failed(bench: Bench, silo: Silo) -> None:
    window = Window(by="", reason="", at=datetime.now(UTC), id="w", start=datetime.now(UTC) - timedelta(minutes=1))

    async def refreshed() -> None:
        health.told(condition(silo, windows=(window,)))

    health = Health(silo, Grant(silo), refreshed=refreshed)
    run = silo_activities(silo, bench.client, bench.settings, Grant(silo), bench.register, health)[0]
    await bench.faults("voice", outage=True)
    (answer,) = (await attempted(run, SiloCalls([call()]))).answers
    assert isinstance(answer, OpenCall) and answer.open is Open.LEFT_ALONE


async def test_a_call_that_fails_at_a_silo_that_is_well_counts(bench: Bench, silo: Silo) -> None:
    run = silo_activities(silo, bench.client, bench.settings, Grant(silo), bench.register)[0]
    await bench.faults("voice", outage=True)
    with pytest.raises(SiloUnavailable):
        await attempted(run, SiloCalls([call()]))


async def test_a_silo_without_keys_is_still_looked_into_before_a_call_is_repeated(bench: Bench) -> None:
    tv = brief(bench.silo("tv", breaker=BREAKER))
    health = Health(tv, Grant(tv))
    health.told(condition(tv, stage=Stage.HALF_OPEN))
    run = silo_activities(tv, bench.client, bench.settings, Grant(tv), bench.register, health)[0]
    await bench.faults("tv", lose_response_rate=1.0)
    (answer,) = (await attempted(run, SiloCalls([call()]))).answers
    assert isinstance(answer, OpenCall) and answer.tried == 1
    await bench.faults("tv")
    await attempted(run, SiloCalls([call()], answer.tried))
    assert [entry for entry in await bench.journal("tv") if entry.startswith("provision")] == ["provision applied"]
