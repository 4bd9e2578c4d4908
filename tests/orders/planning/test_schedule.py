"""When tasks began and ended, or should, and by how much each may be late before the order is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orders.model.plan import Plan, Task
from orders.planning.scheduling.schedule import Span, schedule
from tests.orders.support.builders import operation, plan, task

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def of(*tasks: Task, **takes: int) -> Plan:
    """A plan whose tasks take so many minutes."""
    operations = [replace(operation(name), duration_s=60.0 * number) for name, number in takes.items()]
    return plan(*tasks, operations=operations)


def spans(wanted: Plan, *, now: int = 0, ended: dict[str, int] | None = None, expected: dict[str, int] | None = None):
    """The spans by the names of tasks, given in minutes since the beginning."""

    def told(by_name: dict[str, int] | None, key: str) -> datetime | None:
        number = (by_name or {}).get(name_of(key))
        return None if number is None else BEGIN + minutes(number)

    found = schedule(wanted, BEGIN, BEGIN + minutes(now), lambda key: told(ended, key), lambda key: told(expected, key))
    return {name_of(key): span for key, span in found.items()}


def name_of(key: str) -> str:
    return key.rsplit("/", 1)[1]


def span(ready: int, end: int, slack: int = 0) -> Span:
    return Span(BEGIN + minutes(ready), BEGIN + minutes(end), minutes(slack))


DIAMOND = of(
    task("port"), task("visit", on=["port"]), task("parcel"), task("line", on=["visit"], after=["parcel"]),
    port=1, visit=60, parcel=20, line=2,
)  # fmt: skip


def test_the_longest_chain_has_no_slack_and_what_goes_beside_it_has_the_difference() -> None:
    assert spans(DIAMOND) == {
        "port": span(0, 1),
        "visit": span(1, 61),
        "parcel": span(0, 20, slack=41),
        "line": span(61, 63),
    }


def test_what_is_late_moves_what_follows_and_takes_its_own_slack_first() -> None:
    late = spans(DIAMOND, now=30, ended={"port": 1}, expected={"visit": 61, "parcel": 20})
    assert late["parcel"] == span(0, 30, slack=31)
    assert late["line"] == span(61, 63)
    later = spans(DIAMOND, now=70, ended={"port": 1}, expected={"visit": 61, "parcel": 20})
    assert (later["parcel"].slack, later["visit"].slack, later["line"]) == (minutes(0), minutes(0), span(70, 72))


def test_in_hindsight_what_ended_last_of_all_that_was_waited_for_was_critical() -> None:
    told = spans(DIAMOND, now=500, ended={"port": 1, "visit": 50, "parcel": 80, "line": 83})
    assert {name for name, each in told.items() if not each.slack} == {"parcel", "line"}
    assert told["visit"] == span(1, 50, slack=30)


def test_what_was_changed_once_all_else_was_done_did_not_hold_that_up() -> None:
    told = spans(DIAMOND, now=500, ended={"port": 100, "visit": 61, "parcel": 20, "line": 63})
    assert {name: each.slack for name, each in told.items() if not each.slack} == {"port": minutes(0)}
    assert min(each.slack for each in told.values()) >= minutes(0)


def test_what_comes_before_an_appointment_may_be_late_until_then() -> None:
    wanted = of(task("port"), task("visit", on=["port"]), port=1, visit=60)
    [visit] = [key for key in wanted.tasks if name_of(key) == "visit"]
    made = replace(wanted.tasks[visit], appointed_until=BEGIN + minutes(600))
    told = spans(replace(wanted, tasks={**wanted.tasks, visit: made}))
    assert told == {"port": span(0, 1, slack=539), "visit": span(1, 600)}


def test_nothing_begins_before_the_order_may() -> None:
    [only] = schedule(of(task("port"), port=5), BEGIN + minutes(60), BEGIN, lambda _: None, lambda _: None).values()
    assert only == span(60, 65)
