"""Slots held for those that were just chosen: the last one of a window is had once, however many ask at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from threading import Barrier

import pytest

from orders.demand.ahead import Need
from register import Register
from register.demand.visits import HELD_FOR, Had, VisitsWanted
from tests.given.registers import NOON

DAY = date(2031, 3, 4)
STARTS = NOON + timedelta(days=1)
AT_ONCE = 6


@pytest.fixture
def registers(register: Register) -> Iterator[list[Register]]:
    """Several processes' registers, of one database."""
    others = [Register(register.database.url) for _ in range(AT_ONCE - 1)]
    with closing(others[0]), closing(others[1]), closing(others[2]), closing(others[3]), closing(others[4]):
        yield [register, *others]


def wanted(task: str = "", place: str = "Ulm") -> VisitsWanted:
    return VisitsWanted("field-service", "visit", place, DAY - timedelta(days=1), DAY + timedelta(days=2), task)


def holds(register: Register, task: str, most: int, **when: timedelta) -> bool:
    """Ask for one of so many visits of the day."""

    def is_free(had: Had) -> bool:
        return sum(day == DAY for day, _ in had) < most

    return register.visits.hold(wanted(task), DAY, STARTS, NOON + timedelta(**when), is_free)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("most", [1, 4])
def test_of_many_that_choose_the_last_slots_at_once_as_many_as_there_are_have_one(
    registers: list[Register], most: int
) -> None:
    together = Barrier(AT_ONCE)

    def choose(number: int) -> bool:
        registers[number].visits.had(wanted(), NOON)  # It takes a while to connect.
        together.wait()
        return holds(registers[number], f"O{number}@home/installation/visit-site", most)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        had = list(pool.map(choose, range(AT_ONCE)))
    assert sum(had) == most
    assert registers[0].visits.had(wanted(), NOON) == [(DAY, STARTS)] * most


def test_who_asks_again_keeps_the_slot_and_who_chooses_another_lets_go_of_it(register: Register) -> None:
    assert holds(register, "O1", 1)
    assert holds(register, "O1", 1)
    assert not holds(register, "O2", 1)
    later = DAY + timedelta(days=1)
    assert register.visits.hold(wanted("O1"), later, STARTS + timedelta(days=1), NOON, lambda had: True)
    assert holds(register, "O2", 1)
    assert {day for day, _ in register.visits.had(wanted(), NOON)} == {DAY, later}


def test_a_slot_is_free_again_when_it_is_let_go_and_when_nothing_came_of_it(register: Register) -> None:
    assert holds(register, "O1", 1)
    register.visits.free(["O1"])
    assert holds(register, "O2", 1)
    assert not holds(register, "O3", 1)
    assert register.visits.had(wanted(), NOON + HELD_FOR) == []
    assert register.visits.hold(wanted("O3"), DAY, STARTS, NOON + HELD_FOR, lambda had: not had)


def test_a_slot_counts_once_when_its_order_tells_of_it(register: Register) -> None:
    assert holds(register, "O1", 1)
    need = Need("O1", "field-service", "visit", "Ulm", "", DAY, DAY, starts=STARTS)
    register.demands.write("O1", 1, "rules", [need], in_flight=True)
    assert register.visits.had(wanted(), NOON) == [(DAY, STARTS)]
    assert register.visits.had(wanted("O1"), NOON) == []
    assert register.visits.had(wanted(place="Berlin"), NOON) == []
