"""What an order tells about itself: summaries and pages of its plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orders.change.request import ItemUpdate
from orders.model.order import OrderRequest, RequestedItem, Site
from orders.read_model.states import LifecycleState, TaskState
from orders.read_model.views import ItemView, TaskView
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.tracking.reporting import (
    fallout_views,
    item_views,
    order_view,
    plan_page,
    silo_views,
)
from tests.orders.support.driver import AT, NOW, Driver, household, key

SELF = {"installation": "self", "equipment": "own"}


def triple_play() -> OrderRequest:
    """A bundle of internet, voice and TV."""
    item = RequestedItem(id="b", offering="triple-play-1000", site=Site(id="home"))
    return OrderRequest(external_id="x", channel="web", customer_id="cust-1", items=(item,))


def items(driver: Driver) -> dict[str, ItemView]:
    return {view.id: view for view in item_views(driver.order)}


def states(driver: Driver) -> dict[str, LifecycleState]:
    return {name: view.state for name, view in items(driver).items()}


def tasks(driver: Driver) -> dict[str, TaskView]:
    """Every task told of, by its name without its scope."""
    return {view.key.split("/", 1)[1]: view for view in plan_page(driver.order, 0, 1000).tasks}


def test_what_silos_have_given_out_is_told_with_the_items_that_it_is_for() -> None:
    driver = Driver(household())
    assert order_view(driver.order, NOW).given == ()
    driver.run()
    told = {(each.name, each.silo, each.items) for each in order_view(driver.order, NOW).given}
    assert told == {
        ("serial", "warehouse", ("net",)),
        ("number", "number-inventory", ("voice",)),
        ("tracking_id", "shipping", ("net",)),
    }


def test_what_was_given_back_is_told_no_more() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    assert {each.name for each in order_view(driver.order, NOW).given} == {"serial", "number"}
    driver.change("cancel")
    driver.run()
    assert order_view(driver.order, NOW).given == ()


# Items


def test_items_are_told_with_their_states_and_how_many_of_their_tasks_are_done() -> None:
    driver = Driver(household(), waiting=["field-service"])
    assert set(states(driver).values()) == {LifecycleState.ACKNOWLEDGED}
    driver.run()
    assert states(driver)["net"] is LifecycleState.IN_PROGRESS
    net = items(driver)["net"]
    assert 0 < net.tasks_done < net.tasks
    driver.complete("field-service")
    driver.run()
    assert set(states(driver).values()) == {LifecycleState.COMPLETED}
    assert all(view.tasks_done == view.tasks > 0 for view in items(driver).values())


def test_an_item_is_held_by_its_own_fallout_and_the_others_go_on() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    assert states(driver) == {
        "net": LifecycleState.COMPLETED,
        "voice": LifecycleState.COMPLETED,
        "tv": LifecycleState.HELD,
    }


def test_a_removed_item_stays_and_is_told_until_nothing_of_it_is_left() -> None:
    driver = Driver(household(**SELF))
    driver.run()
    driver.change("amend", remove=("tv",))
    assert states(driver)["tv"] is LifecycleState.PENDING_CANCELLATION
    driver.run()
    tv = items(driver)["tv"]
    assert tv.state is LifecycleState.CANCELLED
    assert (tv.offering, tv.quantity, tv.tasks) == ("tv-basic", 1, 0)
    assert states(driver)["net"] is LifecycleState.COMPLETED


def test_a_removed_item_is_told_while_a_call_for_it_is_still_under_way() -> None:
    driver = Driver(household(**SELF))
    order = driver.order
    while not any("activate-tv" in step.task for step in order.reconciler.calls.values()):
        for step in [*order.reconciler.next_steps(), *order.reconciler.calls.values()]:
            if "activate-tv" not in step.task and step.fact in order.reconciler.calls:
                order.reconciler.record(step, driver.answer(step), AT)
    call = next(step for step in order.reconciler.calls.values() if "activate-tv" in step.task)
    driver.change("amend", remove=("tv",))
    assert states(driver)["tv"] is LifecycleState.PENDING_CANCELLATION
    assert tasks(driver)["tv/activate-tv"].state is TaskState.COMPENSATING
    order.reconciler.record(call, driver.answer(call), AT)
    assert states(driver)["tv"] is LifecycleState.PENDING_CANCELLATION
    assert tasks(driver)["tv/activate-tv"].items == ("tv",)
    driver.run()
    assert states(driver)["tv"] is LifecycleState.CANCELLED


def test_a_removed_item_that_a_silo_does_not_let_go_of_is_held() -> None:
    driver = Driver(household(**SELF))
    driver.run()
    driver.refuse["tv.compensate"] = "busy"
    driver.change("amend", remove=("tv",))
    driver.run()
    assert states(driver)["tv"] is LifecycleState.HELD
    assert states(driver)["net"] is LifecycleState.COMPLETED


def test_an_item_of_which_a_product_is_given_up_is_in_progress_until_it_is_gone() -> None:
    item = RequestedItem(id="m", offering="mobile-s", quantity=2, characteristics={"sim_type": "esim"})
    driver = Driver(OrderRequest(external_id="x", channel="web", customer_id="c", items=(item,)))
    driver.run()
    driver.change("amend", update=(ItemUpdate(id="m", quantity=1),))
    driver.order.reconciler.next_steps()
    assert states(driver)["m"] is LifecycleState.IN_PROGRESS
    assert items(driver)["m"].quantity == 1
    for step in list(driver.order.reconciler.calls.values()):
        driver.order.reconciler.record(step, driver.answer(step), AT)
    driver.run()
    assert states(driver)["m"] is LifecycleState.COMPLETED


def test_items_of_a_cancelled_order_are_cancelled_when_they_are_gone() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["billing.provision"] = "closed"
    driver.run()
    driver.refuse = {"access-network.compensate": "busy"}
    driver.change("cancel")
    assert set(states(driver).values()) == {LifecycleState.PENDING_CANCELLATION}
    driver.run()
    assert states(driver) == {
        "net": LifecycleState.HELD,
        "voice": LifecycleState.CANCELLED,
        "tv": LifecycleState.CANCELLED,
    }


def test_a_bundle_is_as_far_as_its_components() -> None:
    driver = Driver(triple_play(), waiting=["field-service"])
    assert states(driver)["b"] is LifecycleState.ACKNOWLEDGED
    driver.run()
    assert states(driver)["b"] is LifecycleState.IN_PROGRESS
    driver.complete("field-service")
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    assert states(driver)["b"] is LifecycleState.HELD
    driver.refuse.clear()
    driver.change("retry", task=key(driver, "tv/activate-tv"))
    driver.run()
    assert states(driver)["b"] is LifecycleState.COMPLETED


def test_items_are_told_as_they_last_were_in_order_of_first_appearance() -> None:
    driver = Driver(household(**SELF))
    driver.run()
    driver.change("amend", "1", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    driver.change("amend", "2", remove=("tv",), add=(RequestedItem(id="m", offering="mobile-s"),))
    assert list(items(driver)) == ["net", "voice", "tv", "m"]
    assert items(driver)["tv"].offering == "tv-sport"


# The plan


def test_pages_of_the_plan_are_complete_and_do_not_overlap() -> None:
    driver = Driver(household())
    total = len(driver.order.plan.tasks)
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = plan_page(driver.order, offset, 3)
        assert page.total == total
        assert len(page.tasks) <= 3
        seen += [view.key for view in page.tasks]
        offset = page.next_offset
    assert seen == list(driver.order.plan.tasks)


def test_a_page_beyond_the_end_is_empty() -> None:
    page = plan_page(Driver(household()).order, 1000, 10)
    assert (page.tasks, page.next_offset) == ((), None)


def test_a_task_is_told_with_its_silo_its_edges_and_what_is_held_of_it() -> None:
    driver = Driver(household(**SELF))
    driver.run()
    line = tasks(driver)["fibre-internet/activate-line"]
    port = key(driver, "fibre-internet/reserve-port")
    assert (line.silo, line.operation, line.state, line.items) == ("access-network", "line", TaskState.DONE, ("net",))
    assert port in line.builds_on
    (fact,) = line.facts
    assert (fact.generation, fact.state, fact.since) == (0, "held", AT)
    assert fact.inputs["down_mbps"] == 200
    assert fact.built_on[port] == 0
    assert "line_id" in fact.outputs


def test_what_the_target_does_not_have_any_more_is_told_last_while_it_is_held() -> None:
    driver = Driver(household(**SELF))
    driver.run()
    driver.refuse["tv.compensate"] = "busy"
    driver.change("amend", remove=("tv",))
    driver.run()
    page = plan_page(driver.order, 0, 1000)
    assert page.tasks[-1].key.endswith("tv/activate-tv")
    assert page.tasks[-1].state is TaskState.FALLOUT
    assert page.tasks[-1].facts[0].state == "residue"
    assert page.total == len(driver.order.plan.tasks) + 1


def fact_state(driver: Driver, task: str) -> str:
    return tasks(driver)[task].facts[0].state


def test_facts_are_held_or_waiting_or_unknown() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.run()
    assert fact_state(driver, "fibre-internet/reserve-port") == "held"
    assert fact_state(driver, "installation/visit-site") == "waiting"
    driver = Driver(household())
    (step,) = driver.order.reconciler.next_steps()
    driver.order.reconciler.record(step, Outcome(OutcomeKind.UNKNOWN, code="timeout", reason="no answer"), AT)
    assert fact_state(driver, "customer/open-account") == "unknown"


# The summary


def summary(driver: Driver) -> dict[str, Any]:
    return order_view(driver.order, NOW).model_dump()


def test_a_summary_tells_who_ordered_what_when_and_how_far_it_is() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.change("amend", update=(ItemUpdate(id="tv", offering="tv-sport"),), requester="agent")
    driver.run()
    view = order_view(driver.order, NOW)
    start = driver.order.start
    assert (view.id, view.external_id, view.customer_id, view.channel) == (start.order_id, "x", "cust-1", "web")
    assert (view.state, view.revision, view.catalog) == (LifecycleState.IN_PROGRESS, 2, start.catalog)
    assert view.in_jeopardy
    assert view.expected_at is not None and view.expected_at > NOW + timedelta(days=4)
    assert [change.requester for change in view.changes] == ["agent"]
    assert view.completed_at is None


def test_a_summary_names_the_document_that_the_last_patch_has_left_and_the_first_one() -> None:
    driver = Driver(household())
    driver.order.start = driver.order.start.model_copy(update={"document": "a" * 64})
    driver.change("amend", "one", document="b" * 64)
    driver.change("amend", "two", priority=1)
    told = summary(driver)
    assert (told["document"], told["submitted"], told["body"]) == ("b" * 64, "a" * 64, None)


def test_a_summary_tells_what_changes_have_made_different_about_an_item() -> None:
    driver = Driver(household())
    driver.change("amend", "one", update=(ItemUpdate(id="net", characteristics={"down_mbps": 500}),))
    driver.change("amend", "two", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    driver.change("amend", "three", update=(ItemUpdate(id="net", quantity=1, characteristics={"down_mbps": 200}),))
    amended = {item["id"]: item["amended"] for item in summary(driver)["items"]}
    assert amended["net"] == ("characteristics.down_mbps",)
    assert "offering" in amended["tv"]
    assert amended["voice"] == ()


def test_a_summary_does_not_grow_with_the_number_of_tasks() -> None:
    def size(quantity: int) -> int:
        item = RequestedItem(id="m", offering="mobile-s", quantity=quantity)
        request = OrderRequest(external_id="x", channel="web", customer_id="c", items=(item,))
        return len(order_view(Driver(request).order, NOW).model_dump_json())

    assert size(100) - size(1) < 100 * len('"web-000000000000.m.100",')


def test_silos_are_told_by_how_many_of_their_tasks_are_done() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    views = {view.silo: view for view in silo_views(driver.order)}
    assert list(views) == sorted(views)
    assert (views["tv"].tasks, views["tv"].done, views["tv"].fallout) == (1, 0, 1)
    assert (views["billing"].tasks, views["billing"].done, views["billing"].fallout) == (3, 2, 0)


def test_fallout_is_told_with_silo_verb_code_and_reason() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    (view,) = fallout_views(driver.order)
    assert view.task.endswith("tv/activate-tv")
    assert (view.silo, view.verb, view.code, view.reason) == ("tv", "provision", "no_coverage", "said the silo")
    assert view.since == AT


def test_what_was_resolved_is_no_fallout_any_more() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    driver.change("amend", remove=("tv",))
    driver.run()
    assert fallout_views(driver.order) == []
