"""Doomed facts: what falls with what must break, when it falls, and what only moves off it."""

from __future__ import annotations

from orders.model.plan import Plan, Task
from orders.reconcile.target import TaskStatus
from tests.orders.support.builders import Bench, key_of, operation, plan, task

UNIQUE = operation("port", replace=["kind"], break_before_make=True)


def on_port(kind: str, *others: Task, after: tuple[str, ...] = (), first: tuple[Task, ...] = ()) -> Plan:
    """A port of a kind, which cannot exist twice, and what stands around it."""
    return plan(*first, task("port", after=after, kind=kind), *others, operations=[UNIQUE])


# The closure


def test_what_stands_on_a_doomed_fact_falls_with_it_and_comes_back() -> None:
    around = (task("line", on=["port"]), task("tv", on=["line"]))
    order = Bench(on_port("a", *around))
    order.run()
    order.reconciler.retarget(on_port("b", *around))
    assert order.run() == [
        "compensate tv/0/1",
        "compensate line/0/1",
        "compensate port/0/1",
        "provision port/1/0",
        "provision line/1/0",
        "provision tv/1/0",
    ]
    assert order.settled


def test_what_came_only_after_a_doomed_fact_does_not_fall() -> None:
    around = (task("line", on=["port"]), task("billing", after=["line"]))
    order = Bench(on_port("a", *around))
    order.run()
    order.reconciler.retarget(on_port("b", *around))
    assert "compensate billing/0/1" not in order.run()
    assert order.holds == ["billing/0", "line/1", "port/1"]


def test_unwanted_generations_that_stand_on_a_doomed_fact_fall_too() -> None:
    line = operation("line", replace=["kind"])
    plans = [
        plan(
            task("port", kind=port),
            task("line", on=["port"], kind=kind, release_after=["test"]),
            task("test", value=kind),
            operations=[UNIQUE, line],
        )
        for port, kind in (("a", "x"), ("a", "y"), ("b", "y"))
    ]
    order = Bench(plans[0])
    order.run()
    order.target(plans[1])
    order.done("provision line/1/0")
    order.refused("amend test/0/1")
    assert order.holds == ["line/0", "line/1", "port/0", "test/0"]
    assert order.target(plans[2]) == ["compensate line/0/1", "compensate line/1/1"]
    order.done("compensate line/0/1")
    assert order.done("compensate line/1/1") == ["compensate port/0/1"]


def test_unwanted_tasks_that_stand_on_a_doomed_fact_fall_without_waiting_for_a_replacement() -> None:
    order = Bench(on_port("a", task("line", on=["port"])))
    order.run()
    slow = (task("survey"),)
    assert order.target(on_port("b", first=slow, after=("survey",))) == ["provision survey/0/0", "compensate line/0/1"]


def test_a_first_provision_still_waiting_whose_inputs_differ_is_broken_and_made_anew() -> None:
    order = Bench(plan(task("visit", date=1)))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.target(plan(task("visit", date=2))) == ["compensate visit/0/1"]
    assert order.done("compensate visit/0/1") == ["provision visit/1/0"]


def test_a_first_provision_still_waiting_is_amended_where_its_operation_allows_it() -> None:
    visit = operation("visit", amend_while_waiting=True)
    order = Bench(plan(task("visit", date=1), operations=[visit]))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.target(plan(task("visit", date=2), operations=[visit])) == ["amend visit/0/1"]
    order.acknowledged("amend visit/0/1")
    assert order.callback("visit/0/1")
    assert order.next() == []
    assert order.fact("visit/0").inputs == {"date": 2}
    assert order.settled


def test_a_first_provision_still_waiting_is_broken_for_an_input_that_replaces_even_if_it_can_be_amended() -> None:
    visit = operation("visit", amend_while_waiting=True, replace=["site"])
    order = Bench(plan(task("visit", site="x"), operations=[visit]))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.target(plan(task("visit", site="y"), operations=[visit])) == ["compensate visit/0/1"]


def test_a_waiting_amendment_is_amended_again_and_never_compensated() -> None:
    order = Bench(plan(task("line", speed=1)))
    order.run()
    order.target(plan(task("line", speed=2)))
    order.acknowledged("amend line/0/1")
    assert order.target(plan(task("line", speed=3))) == ["amend line/0/2"]
    order.acknowledged("amend line/0/2")
    order.callback("line/0/2")
    assert order.next() == []
    assert order.fact("line/0").inputs == {"speed": 3}


def test_a_waiting_amendment_whose_inputs_are_wanted_is_awaited() -> None:
    order = Bench(plan(task("line", speed=1)))
    order.run()
    order.target(plan(task("line", speed=2)))
    order.acknowledged("amend line/0/1")
    assert order.next() == []
    assert order.status("line") is TaskStatus.AWAITING


def test_back_to_what_is_in_force_amends_the_waiting_amendment_again() -> None:
    order = Bench(plan(task("line", speed=1)))
    order.run()
    order.target(plan(task("line", speed=2)))
    order.acknowledged("amend line/0/1")
    assert order.target(plan(task("line", speed=1))) == ["amend line/0/2"]


def test_back_to_the_first_value_before_the_break_leaves_everything_as_it_is() -> None:
    around = (task("line", on=["port"]),)
    order = Bench(on_port("a", *around))
    order.run()
    survey = (task("survey"),)
    order.target(on_port("b", *around, first=survey, after=("survey",)))
    assert order.target(on_port("a", *around)) == []
    assert order.done("provision survey/0/0") == ["compensate survey/0/1"]
    order.run()
    assert order.holds == ["line/0", "port/0"]


# Break late


def test_what_must_break_is_kept_until_its_replacement_could_begin() -> None:
    around = (task("line", on=["port"]),)
    order = Bench(on_port("a", *around))
    order.run()
    assert order.target(on_port("b", *around, first=(task("survey"),), after=("survey",))) == ["provision survey/0/0"]
    order.acknowledged("provision survey/0/0")
    assert order.next() == []
    assert order.holds == ["line/0", "port/0", "survey/0"]
    order.callback("survey/0/0")
    assert order.next() == ["compensate line/0/1"]


def test_what_stands_on_it_is_kept_until_its_own_replacement_could_begin() -> None:
    order = Bench(on_port("a", task("line", on=["port"])))
    order.run()
    later = on_port("b", task("router"), task("line", on=["port"], after=["router"]))
    assert order.target(later) == ["provision router/0/0"]
    assert order.holds == ["line/0", "port/0"]
    assert order.done("provision router/0/0") == ["compensate line/0/1"]


def test_what_stands_beside_it_is_kept_until_all_that_falls_together_could_be_made_anew() -> None:
    order = Bench(on_port("a", task("line", on=["port"]), task("tv", on=["port"])))
    order.run()
    later = on_port("b", task("box"), task("line", on=["port"]), task("tv", on=["port"], after=["box"]))
    assert order.target(later) == ["provision box/0/0"]
    assert order.done("provision box/0/0") == ["compensate line/0/1", "compensate tv/0/1"]


def test_a_slow_task_further_up_keeps_everything_that_would_fall_below_it() -> None:
    around = (task("line", on=["port"]), task("tv", on=["line"]))
    order = Bench(on_port("a", *around))
    order.run()
    assert order.target(on_port("b", *around, first=(task("survey"),), after=("survey",))) == ["provision survey/0/0"]
    order.refused("provision survey/0/0")
    assert order.holds == ["line/0", "port/0", "tv/0"]
    assert order.retry("survey") == ["provision survey/0/1"]
    assert order.done("provision survey/0/1") == ["compensate tv/0/1"]


def test_what_is_missing_only_because_of_what_is_broken_is_not_waited_for() -> None:
    order = Bench(on_port("a", task("line", on=["port"]), task("tv", on=["port"])))
    order.run()
    later = on_port("b", task("line", on=["port"]), task("test", on=["line"]), task("tv", on=["port"], after=["test"]))
    assert order.target(later) == ["compensate line/0/1", "compensate tv/0/1"]


def test_two_doomed_facts_break_apart_from_each_other() -> None:
    modem = operation("modem", replace=["kind"], break_before_make=True)

    def both(kind: str, *first: Task, after: tuple[str, ...] = ()) -> Plan:
        tasks = (*first, task("port", after=after, kind=kind), task("modem", kind=kind))
        return plan(*tasks, operations=[UNIQUE, modem])

    order = Bench(both("a"))
    order.run()
    assert order.target(both("b", task("survey"), after=("survey",))) == [
        "provision survey/0/0",
        "compensate modem/0/1",
    ]
    assert order.done("compensate modem/0/1") == ["provision modem/1/0"]
    assert order.done("provision survey/0/0") == ["compensate port/0/1"]


# What escapes


def test_a_fact_that_stands_on_a_doomed_one_but_not_in_the_target_is_amended_off_it() -> None:
    order = Bench(on_port("a", task("line", on=["port"], refs=["port"]), first=(task("radio"),)))
    order.run()
    later = on_port("b", task("line", on=["radio"], refs=["radio"]), first=(task("radio"),))
    assert order.target(later) == ["amend line/0/1"]
    assert order.done("amend line/0/1") == ["compensate port/0/1"]
    order.run()
    assert order.holds == ["line/0", "port/1", "radio/0"]


def test_a_fact_that_stands_on_a_doomed_one_but_not_in_the_target_is_re_based_off_it() -> None:
    order = Bench(on_port("a", task("line", on=["port"])))
    order.run()
    assert order.target(on_port("b", task("line"))) == ["compensate port/0/1"]
    assert order.fact("line/0").built_on == {}
    order.run()
    assert order.holds == ["line/0", "port/1"]


def test_what_falls_is_kept_until_what_escapes_has_moved_off() -> None:
    order = Bench(on_port("a", task("line", on=["port"], refs=["port"]), task("tv", on=["port"]), first=(task("r"),)))
    order.run()
    later = on_port("b", task("line", on=["r"], refs=["r"]), task("tv", on=["port"]), first=(task("r"),))
    assert order.target(later) == ["amend line/0/1"]
    order.acknowledged("amend line/0/1")
    assert order.next() == []
    order.callback("line/0/1")
    assert order.next() == ["compensate tv/0/1"]


def test_an_older_generation_that_stands_on_a_doomed_fact_does_not_escape() -> None:
    line = operation("line", replace=["port", "r"])
    order = Bench(
        plan(
            task("r"),
            task("port", kind="a"),
            task("line", on=["port"], refs=["port"], release_after=["test"]),
            task("test", value=1),
            operations=[UNIQUE, line],
        )
    )
    order.run()
    later = plan(
        task("r"),
        task("port", kind="b"),
        task("line", on=["r"], refs=["r"], release_after=["test"]),
        task("test", value=2),
        operations=[UNIQUE, line],
    )
    assert order.target(later) == ["provision line/1/0", "amend test/0/1"]
    order.refused("amend test/0/1")
    assert order.done("provision line/1/0") == ["compensate line/0/1"]
    assert order.done("compensate line/0/1") == ["compensate port/0/1"]


# What is waited for


def test_an_amendment_waits_for_a_call_that_is_built_on_the_thing() -> None:
    plans = [plan(task("line", speed=speed), task("tv", on=["line"])) for speed in (1, 2)]
    order = Bench(plans[0])
    order.next()
    assert order.done("provision line/0/0") == ["provision tv/0/0"]
    assert order.target(plans[1]) == []
    assert order.done("provision tv/0/0") == ["amend line/0/1"]


def test_an_amendment_does_not_wait_for_a_callback_to_what_is_built_on_the_thing() -> None:
    plans = [plan(task("line", speed=speed), task("tv", on=["line"])) for speed in (1, 2)]
    order = Bench(plans[0])
    order.next()
    order.done("provision line/0/0")
    assert order.target(plans[1]) == []
    assert order.acknowledged("provision tv/0/0") == ["amend line/0/1"]


def test_a_replacement_waits_for_a_call_that_is_built_on_the_thing_but_not_for_its_callback() -> None:
    port = operation("port", replace=["kind"])
    plans = [plan(task("port", kind=kind), task("line", on=["port"]), operations=[port]) for kind in "ab"]
    order = Bench(plans[0])
    order.next()
    order.done("provision port/0/0")
    assert order.target(plans[1]) == []
    assert order.acknowledged("provision line/0/0") == ["provision port/1/0"]


def test_a_compensation_waits_for_a_call_that_is_built_on_the_thing() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"])))
    order.next()
    order.done("provision port/0/0")
    assert order.target(plan()) == []
    assert order.refused("provision line/0/0") == ["compensate port/0/1"]


def test_a_compensation_does_not_wait_for_the_callback_of_what_was_amended_off_the_thing_in_time() -> None:
    visit = operation("visit", amend_while_waiting=True)
    both = plan(task("a"), task("b"), task("visit", on=["a", "b"], count=2), operations=[visit])
    one = plan(task("a"), task("visit", on=["a"], count=1), operations=[visit])
    order = Bench(both)
    order.next()
    order.done("provision a/0/0")
    order.done("provision b/0/0")
    order.acknowledged("provision visit/0/0")
    assert order.target(one) == ["amend visit/0/1"]
    assert order.acknowledged("amend visit/0/1") == ["compensate b/0/1"]
    order.done("compensate b/0/1")
    order.callback("visit/0/1")
    assert order.next() == []
    assert order.settled
    assert order.fact("visit/0").built_on == {key_of("a"): 0}


def test_a_compensation_waits_until_the_compensation_of_what_stands_on_the_thing_has_had_its_effect() -> None:
    order = Bench(plan(task("port"), task("visit", on=["port"])))
    order.next()
    order.done("provision port/0/0")
    order.acknowledged("provision visit/0/0")
    assert order.target(plan()) == ["compensate visit/0/1"]
    assert order.acknowledged("compensate visit/0/1") == []
    order.callback("visit/0/1")
    assert order.next() == ["compensate port/0/1"]


def test_what_stood_on_a_doomed_fact_that_was_lost_is_not_torn_down_for_it() -> None:
    def with_survey(kind: str, *first: Task, after: tuple[str, ...] = ()) -> Plan:
        return on_port(kind, task("line", on=["port"], refs=["port"]), first=first, after=after)

    order = Bench(with_survey("a"))
    order.run()
    assert order.target(with_survey("b", task("survey"), after=("survey",))) == ["provision survey/0/0"]
    order.lose("port/0")
    assert order.done("provision survey/0/0") == ["provision port/1/0"]
    assert order.done("provision port/1/0") == ["amend line/0/1"]
    order.run()
    assert order.holds == ["line/0", "port/1", "survey/0"]


def test_a_doomed_fact_that_is_lost_leaves_what_stood_on_it_in_service() -> None:
    around = (task("line", on=["port"], refs=["port"]), task("tv", on=["line"]))
    order = Bench(on_port("a", *around))
    order.run()
    assert order.target(on_port("b", *around)) == ["compensate tv/0/1"]
    assert order.lose("port/0") == ["provision port/1/0"]
    order.done("compensate tv/0/1")
    assert order.done("provision port/1/0") == ["amend line/0/1"]
    assert order.done("amend line/0/1") == ["provision tv/1/0"]


def test_a_compensation_waits_while_nobody_knows_whether_what_stands_on_the_thing_was_amended_off_it() -> None:
    visit = operation("visit", amend_while_waiting=True)
    both = plan(task("a"), task("b"), task("visit", on=["a", "b"], count=2), operations=[visit])
    one = plan(task("a"), task("visit", on=["a"], count=1), operations=[visit])
    order = Bench(both)
    order.next()
    order.done("provision a/0/0")
    order.done("provision b/0/0")
    order.acknowledged("provision visit/0/0")
    order.target(one)
    assert order.unknown("amend visit/0/1") == []
    assert order.retry("visit") == ["amend visit/0/1"]
    assert order.acknowledged("amend visit/0/1") == ["compensate b/0/1"]
