"""What the register keeps of silos."""

from __future__ import annotations

from datetime import timedelta

from orders.health.condition import Condition, Stage, Terms
from orders.health.figures import Figures
from orders.model.silos.breaker import Breaker
from register import Register
from register.silos import FORGOTTEN_AFTER
from tests.given.registers import NOON

TERMS = Terms(rate_per_second=5.0, breaker=Breaker())


def told(version: int, stage: Stage, silo: str = "voice") -> Condition:
    return Condition(silo=silo, terms=TERMS, since=NOON, stage=stage, version=version)


def counted(silo: str, worker: str, answered: int, at: timedelta = timedelta()) -> Figures:
    return Figures(silo=silo, worker=worker, at=NOON + at, window_s=60, attempts=answered, answered=answered)


def test_the_latest_condition_of_each_silo_is_kept(register: Register) -> None:
    for condition in (told(2, Stage.OPEN), told(1, Stage.CLOSED), told(7, Stage.HALF_OPEN, "tv")):
        register.silos.write(condition)
    found = register.silos.conditions()
    assert found == {"voice": told(2, Stage.OPEN), "tv": told(7, Stage.HALF_OPEN, "tv")}
    register.silos.write(told(2, Stage.OPEN))  # An activity may be made again.
    assert register.silos.conditions() == found


def test_what_a_worker_counts_replaces_what_it_had_counted(register: Register) -> None:
    register.silos.count([counted("voice", "one", 5), counted("tv", "one", 6)], NOON)
    register.silos.count([counted("voice", "two", 7)], NOON)
    register.silos.count([counted("voice", "one", 8)], NOON)
    assert {(each.worker, each.answered) for each in register.silos.figures("voice")} == {("one", 8), ("two", 7)}
    assert len(register.silos.figures()) == 3


def test_what_is_long_ago_is_forgotten(register: Register) -> None:
    register.silos.count([counted("voice", "gone", 5)], NOON)
    now = NOON + FORGOTTEN_AFTER + timedelta(seconds=1)
    register.silos.count([counted("voice", "one", 5, FORGOTTEN_AFTER)], now)
    assert [each.worker for each in register.silos.figures()] == ["one"]
