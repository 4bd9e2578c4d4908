"""The loop's rules one by one: which calls a difference between facts and target leads to, and in which order."""

from __future__ import annotations

from orders.reconcile.target import TaskStatus
from tests.orders.support.builders import Bench, held, key_of, ledger_of, operation, plan, task

PORT_REPLACED = operation("port", replace=["kind"])
PORT_UNIQUE = operation("port", replace=["kind"], break_before_make=True)


# Provision


def test_a_task_without_a_fact_is_provisioned() -> None:
    order = Bench(plan(task("port", kind="a")))
    assert order.next() == ["provision port/0/0"]
    assert order.inputs["provision port/0/0"] == {"kind": "a"}
    assert order.done("provision port/0/0") == []
    assert order.settled


def test_a_task_is_not_provisioned_before_its_dependencies_are_in_place() -> None:
    order = Bench(plan(task("port"), task("account"), task("line", on=["port"], after=["account"])))
    assert order.next() == ["provision port/0/0", "provision account/0/0"]
    assert order.done("provision port/0/0") == []
    assert order.status("line") is TaskStatus.BLOCKED
    assert order.done("provision account/0/0") == ["provision line/0/0"]


def test_a_dependency_that_is_only_acknowledged_is_not_in_place() -> None:
    order = Bench(plan(task("visit"), task("line", after=["visit"])))
    order.next()
    assert order.acknowledged("provision visit/0/0") == []
    assert order.status("visit") is TaskStatus.AWAITING
    order.callback("visit/0/0")
    assert order.next() == ["provision line/0/0"]


def test_inputs_that_refer_to_outputs_are_resolved_when_their_turn_comes() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"], refs=["port"])))
    order.next()
    order.done("provision port/0/0", out="P-17")
    assert order.inputs["provision line/0/0"] == {"port": "P-17"}


def test_what_is_built_on_and_what_is_only_after_are_told_apart() -> None:
    order = Bench(plan(task("port"), task("account"), task("line", on=["port"], after=["account"])))
    order.run()
    assert order.fact("line/0").built_on == {key_of("port"): 0}


def test_independent_tasks_start_together() -> None:
    order = Bench(plan(task("a"), task("b"), task("c")))
    assert order.next() == ["provision a/0/0", "provision b/0/0", "provision c/0/0"]


def test_generation_numbers_are_never_used_twice() -> None:
    order = Bench(plan(task("port")))
    order.run()
    order.target(plan())
    assert order.run() == ["compensate port/0/1"]
    order.target(plan(task("port")))
    assert order.run() == ["provision port/1/0"]


def test_a_call_under_way_is_not_started_again() -> None:
    order = Bench(plan(task("port")))
    assert order.next() == ["provision port/0/0"]
    assert order.next() == []
    assert order.status("port") is TaskStatus.UNDER_WAY


def test_what_is_held_as_wanted_needs_no_call() -> None:
    order = Bench(plan(task("port", kind="a")), ledger_of(held("port", kind="a")))
    assert order.next() == []
    assert order.settled


# Amend


def test_an_input_that_differs_is_amended() -> None:
    order = Bench(plan(task("line", speed=500)), ledger_of(held("line", speed=100)))
    assert order.next() == ["amend line/0/1"]
    assert order.inputs["amend line/0/1"] == {"speed": 500}
    order.done("amend line/0/1")
    assert order.fact("line/0").inputs == {"speed": 500}
    assert order.settled


def test_each_amendment_of_a_thing_has_the_next_number() -> None:
    order = Bench(plan(task("line", speed=1)))
    order.run()
    for number, speed in enumerate((2, 3), start=1):
        order.target(plan(task("line", speed=speed)))
        assert order.run() == [f"amend line/0/{number}"]
    order.target(plan())
    assert order.run() == ["compensate line/0/3"]


def test_an_amendment_whose_outputs_differ_amends_what_refers_to_them() -> None:
    with_speed = [plan(task("line", speed=speed), task("tv", on=["line"], refs=["line"])) for speed in (1, 2)]
    order = Bench(with_speed[0])
    order.run()
    assert order.target(with_speed[1]) == ["amend line/0/1"]
    assert order.done("amend line/0/1", out="L-2") == ["amend tv/0/1"]
    assert order.inputs["amend tv/0/1"] == {"line": "L-2"}


def test_an_amendment_whose_outputs_stay_leaves_the_others_alone() -> None:
    with_speed = [plan(task("line", speed=speed), task("tv", on=["line"], refs=["line"])) for speed in (1, 2)]
    order = Bench(with_speed[0])
    order.run()
    order.target(with_speed[1])
    assert order.done("amend line/0/1") == []
    assert order.settled


def test_what_depends_on_an_amended_task_waits_for_it() -> None:
    order = Bench(plan(task("line", speed=1)))
    order.run()
    assert order.target(plan(task("line", speed=2), task("tv", on=["line"]))) == ["amend line/0/1"]
    assert order.done("amend line/0/1") == ["provision tv/0/0"]


def test_an_input_that_is_left_out_differs_too() -> None:
    order = Bench(plan(task("line", speed=1)), ledger_of(held("line", speed=1, router="R")))
    assert order.next() == ["amend line/0/1"]


# Replace, make before break


def replaced_port(*, release_after: tuple[str, ...] = ()) -> Bench:
    """A line on a port of kind a, both in place; the target has a port of kind b."""
    plans = [
        plan(
            task("port", kind=kind, release_after=release_after),
            task("line", on=["port"], refs=["port"]),
            operations=[PORT_REPLACED],
        )
        for kind in "ab"
    ]
    order = Bench(plans[0])
    assert order.run() == ["provision port/0/0", "provision line/0/0"]
    order.reconciler.retarget(plans[1])
    return order


def test_a_replacement_is_made_before_the_old_one_is_broken() -> None:
    order = replaced_port()
    assert order.next() == ["provision port/1/0"]
    assert order.holds == ["line/0", "port/0"]
    assert order.done("provision port/1/0") == ["amend line/0/1"]
    assert order.inputs["amend line/0/1"] == {"port": "port/1"}
    assert order.done("amend line/0/1") == ["compensate port/0/1"]
    order.done("compensate port/0/1")
    assert order.holds == ["line/0", "port/1"]
    assert order.settled


def test_the_old_one_is_kept_until_what_release_after_names_is_in_place() -> None:
    plans = [
        plan(task("port", kind=kind, release_after=["test"]), task("test", value=kind), operations=[PORT_REPLACED])
        for kind in "ab"
    ]
    order = Bench(plans[0])
    order.run()
    assert order.target(plans[1]) == ["provision port/1/0", "amend test/0/1"]
    assert order.done("provision port/1/0") == []
    assert order.holds == ["port/0", "port/1", "test/0"]
    assert order.done("amend test/0/1") == ["compensate port/0/1"]


def test_without_release_after_the_old_one_goes_when_the_new_one_is_in_place() -> None:
    plans = [plan(task("port", kind=kind), task("test", value=kind), operations=[PORT_REPLACED]) for kind in "ab"]
    order = Bench(plans[0])
    order.run()
    order.target(plans[1])
    assert order.done("provision port/1/0") == ["compensate port/0/1"]


def test_release_after_a_task_that_is_not_in_the_target_holds_nothing_back() -> None:
    plans = [plan(task("port", kind=kind, release_after=["tv"]), operations=[PORT_REPLACED]) for kind in "ab"]
    order = Bench(plans[0])
    order.run()
    order.target(plans[1])
    assert order.run() == ["provision port/1/0", "compensate port/0/1"]


def test_the_old_one_stays_while_something_stands_on_it() -> None:
    order = replaced_port()
    order.next()
    order.done("provision port/1/0")
    order.acknowledged("amend line/0/1")
    assert order.next() == []
    assert order.holds == ["line/0", "port/0", "port/1"]
    order.callback("line/0/1")
    assert order.next() == ["compensate port/0/1"]


def test_back_to_the_first_value_while_it_is_still_held_makes_no_call_on_it() -> None:
    plans = [
        plan(task("port", kind=kind, release_after=["test"]), task("test", value=kind), operations=[PORT_REPLACED])
        for kind in "aba"
    ]
    order = Bench(plans[0])
    order.run()
    order.target(plans[1])
    order.done("provision port/1/0")
    assert order.target(plans[2]) == []
    assert order.done("amend test/0/1") == ["amend test/0/2"]
    assert order.done("amend test/0/2") == ["compensate port/1/1"]
    order.run()
    assert order.holds == ["port/0", "test/0"]
    assert order.fact("port/0").n == 0


def test_back_to_the_first_value_while_its_replacement_is_being_made() -> None:
    plans = [plan(task("port", kind=kind), operations=[PORT_REPLACED]) for kind in "aba"]
    order = Bench(plans[0])
    order.run()
    assert order.target(plans[1]) == ["provision port/1/0"]
    assert order.target(plans[2]) == []
    assert order.status("port") is TaskStatus.IN_PLACE
    assert order.done("provision port/1/0") == ["compensate port/1/1"]
    order.run()
    assert order.holds == ["port/0"]


def test_on_to_a_third_value_waits_for_the_second_to_be_made() -> None:
    plans = [plan(task("port", kind=kind), operations=[PORT_REPLACED]) for kind in "abc"]
    order = Bench(plans[0])
    order.run()
    assert order.target(plans[1]) == ["provision port/1/0"]
    assert order.target(plans[2]) == []
    assert order.done("provision port/1/0") == ["provision port/2/0"]
    assert order.done("provision port/2/0") == ["compensate port/0/1", "compensate port/1/1"]


# Replace, break before make


def test_what_cannot_exist_twice_is_broken_before_it_is_made_anew() -> None:
    plans = [plan(task("port", kind=kind), operations=[PORT_UNIQUE]) for kind in "ab"]
    order = Bench(plans[0])
    order.run()
    assert order.target(plans[1]) == ["compensate port/0/1"]
    assert order.holds == ["port/0"]
    assert order.done("compensate port/0/1") == ["provision port/1/0"]
    order.run()
    assert order.holds == ["port/1"]


def test_an_amend_input_does_not_break_what_can_not_exist_twice() -> None:
    plans = [plan(task("port", kind="a", speed=speed), operations=[PORT_UNIQUE]) for speed in (1, 2)]
    order = Bench(plans[0])
    order.run()
    assert order.target(plans[1]) == ["amend port/0/1"]


# Keep


def test_an_input_to_keep_is_noted_without_a_call() -> None:
    message = operation("line", keep=["channel"])
    order = Bench(plan(task("line", channel="web"), operations=[message]))
    order.run()
    assert order.target(plan(task("line", channel="shop"), operations=[message])) == []
    assert order.fact("line/0").inputs == {"channel": "shop"}
    assert order.settled


def test_an_input_to_keep_goes_along_when_another_one_is_amended() -> None:
    given = operation("line", keep=["channel"])
    order = Bench(plan(task("line", channel="web", speed=1), operations=[given]))
    order.run()
    assert order.target(plan(task("line", channel="shop", speed=2), operations=[given])) == ["amend line/0/1"]
    assert order.inputs["amend line/0/1"] == {"channel": "shop", "speed": 2}


def test_a_new_value_of_an_input_to_keep_is_noted_while_the_thing_is_awaited() -> None:
    given = operation("visit", keep=["channel"])
    order = Bench(plan(task("visit", channel="web"), operations=[given]))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.target(plan(task("visit", channel="shop"), operations=[given])) == []
    assert order.status("visit") is TaskStatus.AWAITING
    order.callback("visit/0/0")
    assert order.next() == []
    assert order.fact("visit/0").inputs == {"channel": "shop"}
    assert order.settled


# Re-base


def test_what_is_equal_but_stands_on_a_new_generation_is_re_based_without_a_call() -> None:
    plans = [plan(task("port", kind=kind), task("line", on=["port"]), operations=[PORT_REPLACED]) for kind in "ab"]
    order = Bench(plans[0])
    order.run()
    order.target(plans[1])
    assert order.done("provision port/1/0") == ["compensate port/0/1"]
    assert order.fact("line/0").built_on == {key_of("port"): 1}


def test_what_is_awaited_with_the_inputs_wanted_is_re_based_too() -> None:
    plans = [plan(task("port", kind=kind), task("visit", on=["port"]), operations=[PORT_REPLACED]) for kind in "ab"]
    order = Bench(plans[0])
    order.next()
    order.done("provision port/0/0")
    order.acknowledged("provision visit/0/0")
    order.target(plans[1])
    assert order.done("provision port/1/0") == ["compensate port/0/1"]
    order.done("compensate port/0/1")
    order.callback("visit/0/0")
    assert order.next() == []
    assert order.fact("visit/0").built_on == {key_of("port"): 1}
    assert order.settled


# Anew, on request


def test_what_a_person_asks_for_anew_is_made_once_however_often_it_is_looked_at() -> None:
    wanted = plan(task("parcel"), task("line", value=1))
    order = Bench(wanted)
    order.run()
    assert order.reconciler.mark_for_replacement(key_of("parcel"))
    assert order.next() == ["provision parcel/1/0"]
    assert order.target(plan(task("parcel"), task("line", value=2))) == ["amend line/0/1"]
    order.acknowledged("provision parcel/1/0")
    assert order.target(wanted) == []
    order.callback("parcel/1/0")
    assert order.next() == ["compensate parcel/0/1"]
    order.run()
    assert order.settled
    assert order.holds == ["line/0", "parcel/1"]


def test_what_cannot_exist_twice_is_broken_first_when_it_is_asked_for_anew() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"]), operations=[operation("port", break_before_make=True)]))
    order.run()
    order.reconciler.mark_for_replacement(key_of("port"))
    assert order.run() == [
        "compensate line/0/1",
        "compensate port/0/1",
        "provision port/1/0",
        "provision line/1/0",
    ]


def test_nothing_that_is_not_held_or_not_wanted_can_be_asked_for_anew() -> None:
    order = Bench(plan(task("port")), ledger_of(held("line")))
    assert not order.reconciler.mark_for_replacement(key_of("port"))
    assert not order.reconciler.mark_for_replacement(key_of("line"))
