"""An order in words for Temporal's Web UI: as text that any style sheet leaves alone, with changes ready to be sent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Verdict, read_change
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.order import OrderRequest, Reason, RequestedItem, Site
from orders.planning.capture import capture
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.tracking.answering import MOST_NOW, answer
from orders.tracking.change_words import in_short, news_in_short
from orders.tracking.details import details
from orders.tracking.reporting import order_record
from orders.tracking.what_if.ready_made import MOST_TASKS
from tests.orders.support.driver import AT, NOW, Driver, household, key

SELF = {"installation": "self", "equipment": "own"}
VISITED = Outcome(OutcomeKind.ACKNOWLEDGED, milestones={"handed-over": AT})


def told(order: Fulfilment) -> str:
    """The details as they are shown."""
    return details(order, answer(order, order.journal.carried.decides, ended=order.carried.end_recorded))


def ready(order: Fulfilment) -> list[dict[str, Any]]:
    """The changes that are ready to be sent, in order."""
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", told(order), re.DOTALL)]


def send(driver: Driver, change: dict[str, Any]) -> Verdict:
    """Send a change as it stands."""
    read = read_change(change)
    return driver.change(**{name: value for name, value in read if name in ChangeRequest.model_fields})


def shipped() -> Driver:
    """A household whose parcel is under way, which makes a cancellation cost something."""
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    parcel = key(driver, "delivery/ship-parcel")
    (fact,) = driver.order.reconciler.ledger.facts[parcel].values()
    assert fact.waiting is not None
    driver.order.answer(fact.id, fact.waiting.n, VISITED, AT)
    return driver


def test_they_are_paragraphs_under_a_word_in_bold_and_blocks_of_json() -> None:
    driver = shipped()
    driver.change("hold", "h")
    driver.refuse["tv.provision"] = "no_coverage"
    for block in told(driver.order).split("\n\n"):
        one_line = block.startswith("**") and "\n" not in block
        assert one_line or (block.startswith("```json\n{") and block.endswith("}\n```"))
    assert "|" not in told(driver.order)


def test_they_begin_with_the_state_and_what_was_ordered_and_say_how_far_each_silo_is() -> None:
    driver = Driver(household(**SELF))
    driver.run()
    driver.order.close(NOW)
    driver.order.recorded(order_record(driver.order, NOW))
    lines = told(driver.order).split("\n\n")
    assert lines[0] == "**completed** · revision 1 · fibre-flex, tv-basic, voice-line"
    assert lines[1].startswith("**Completed on ")
    assert "billing 3 of 3" in lines[2]
    assert len(lines) == 3


def test_they_say_what_is_promised_expected_awaited_and_to_come() -> None:
    driver = shipped()
    order_record(driver.order, NOW)
    text = told(driver.order)
    assert "**Promised** 2026-03-02 09:00 UTC · **Expected** 2026-03-07 09:04 UTC" in text
    assert "\n\n**Awaits** Technician's visit at home (field-service); " in text
    assert "\n\n**Then** Activation of the line" in text
    driver.order.hold()
    assert "**Expected** once somebody has acted" in told(driver.order)


def test_what_is_called_is_tried_and_not_awaited() -> None:
    driver = Driver(household())
    driver.order.reconciler.next_steps()
    text = told(driver.order)
    assert "**Tries** " in text
    assert "**Awaits**" not in text


def test_what_needs_a_person_names_its_task_and_the_retry_is_ready_to_be_sent() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    task = key(driver, "tv/activate-tv")
    text = told(driver.order)
    assert "**Needs a person** Activation of television at home (tv); " in text
    assert f"provision refused with no_coverage; task {task}" in text
    retry = ready(driver.order)[0]
    assert retry == {"request_id": "ui-retry-1", "kind": "retry", "task": task}
    driver.refuse.clear()
    assert send(driver, retry).state is ChangeState.ACCEPTED
    assert driver.run()[0] == "tv.provision tv/activate-tv/0/1"


def test_what_is_refused_again_has_another_retry_ready() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    for number in (1, 2, 3):
        retry = ready(driver.order)[0]
        assert retry["request_id"] == f"ui-retry-{number}"
        assert send(driver, retry).state is ChangeState.ACCEPTED
        driver.run()


def test_on_hold_the_release_is_ready_to_be_sent() -> None:
    driver = shipped()
    driver.change("hold", "h")
    release = ready(driver.order)[0]
    assert (release["kind"], send(driver, release).state) == ("release", ChangeState.ACCEPTED)
    assert [change["kind"] for change in ready(driver.order)] == ["cancel"]


def test_a_cancel_is_ready_with_its_fee_where_one_is_due() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    assert ready(driver.order) == [{"request_id": "ui-cancel-1", "kind": "cancel"}]
    driver = shipped()
    (cancel,) = ready(driver.order)
    assert cancel["accept_fee"] == {"amount": "9.90", "currency": "EUR"}
    assert "**To cancel the order at a fee of 9.90 EUR**" in told(driver.order)
    assert send(driver, cancel).state is not ChangeState.REJECTED
    assert ready(driver.order) == []


def test_a_cancellation_refused_for_its_fee_looks_like_none_that_was_accepted() -> None:
    driver = shipped()
    driver.change("cancel", "agent-1", requester="Ada", channel="care")
    text = told(driver.order)
    assert "**Last change** cancel agent-1 by Ada through care REJECTED (9.90 EUR)" in text
    assert "nothing was changed. fee_not_accepted: " in text
    (cancel,) = ready(driver.order)
    send(driver, cancel)
    text = told(driver.order)
    assert re.search(r"\*\*Last change\*\* cancel ui-cancel-1 (ACCEPTED|ASSESSING) \(9.90 EUR\)", text)
    assert "**Before that** cancel agent-1 REJECTED: fee_not_accepted (9.90 EUR)" in text


def test_what_is_just_being_called_does_not_work_out_what_a_cancellation_costs() -> None:
    order = shipped().order
    found = answer(order, "", ended=False)
    assert "To cancel" in details(order, found, busy=False)
    assert "To cancel" not in details(order, found, busy=True)
    order = Driver(household()).order
    assert "To cancel" in details(order, answer(order, "", ended=False), busy=True)


def test_what_was_decided_says_what_that_means() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.run()
    driver.change("hold", "h")
    assert "**Last change** hold h ACCEPTED on 2026-03-02 09:00 UTC: it is done" in told(driver.order)
    driver.change("changePriority", "p", priority=0)
    assert "**Last change** changePriority p ACCEPTED on 2026-03-02 09:00 UTC: it is being carried" in told(
        driver.order
    )
    driver.order.receive(ChangeRequest(request_id="w", kind=ChangeKind.RELEASE), AT)
    assert "**Last change** release w WAITS: it waits for its turn" in told(driver.order)


def test_what_cannot_be_cancelled_any_more_says_why_and_offers_no_cancellation() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.run()
    text = told(driver.order)
    assert "**It cannot be cancelled any more** " in text
    assert "past its point of no return" in text
    assert ready(driver.order) == []


def test_a_large_order_has_a_cancellation_ready_without_working_out_its_fee() -> None:
    items = tuple(RequestedItem(id=f"m{n}", offering="mobile-s") for n in range(MOST_TASKS // 4))
    driver = Driver(OrderRequest(external_id="x", channel="web", customer_id="c", items=items))
    driver.run()
    assert len(driver.order.plan.tasks) > MOST_TASKS
    driver.refuse.clear()
    assert ready(driver.order) == [{"request_id": "ui-cancel-1", "kind": "cancel"}]


def test_they_name_no_more_than_the_answer_does_and_say_how_many_more_there_are() -> None:
    item = RequestedItem(id="m", offering="mobile-s", quantity=30)
    driver = Driver(OrderRequest(external_id="x", channel="web", customer_id="c", items=(item,)))
    driver.refuse["crm.provision"] = "closed"
    driver.run()
    driver.refuse = {"number-inventory.provision": "none_left", "mobile-core.provision": "full"}
    driver.change("retry", task=key(driver, "customer/open-account"))
    driver.run()
    text = told(driver.order)
    assert text.count("**Needs a person**") == MOST_NOW
    assert f"**And** {len(driver.order.reconciler.fallout) - MOST_NOW} more" in text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<img src=x> & *bold* [a](b) `c` ~~d~~ | e", r"\<img src=x\> \& \*bold\* \[a\](b) \`c\` \~\~d\~\~ \| e"),
        ("see http://evil.example", r"see http\://evil.example"),
        ("no_coverage _here_", r"no_coverage \_here\_"),
        ("two\n\n# lines", "two # lines"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_what_others_wrote_is_shown_as_it_was_written(written: str, shown: str) -> None:
    driver = Driver(household())
    driver.order.problems["x"] = Reason(code="code", message=written)
    assert f"**Problem** code: {shown}\n" in told(driver.order)


def test_a_revision_names_bundles_and_what_stands_in_none() -> None:
    item = RequestedItem(id="b", offering="triple-play-1000", site=Site(id="home"))
    request = OrderRequest(external_id="x", channel="web", customer_id="cust-1", items=(item,))
    driver = Driver(request)
    assert "· triple-play-1000\n" in told(driver.order)
    assert capture(driver.catalog, request).offerings() == ["triple-play-1000"]


# What became of changes


def test_news_of_changes_are_told_once_and_only_the_first_few_in_words() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.run()
    for number in range(5):
        driver.change("release" if number % 2 else "hold", f"c{number}")
    driver.order.reject_malformed("no JSON", AT)
    news = driver.order.change_log.take_news()
    assert news_in_short(news) == "hold c0 ACCEPTED; release c1 ACCEPTED; hold c2 ACCEPTED; and 3 more"
    assert in_short(news[-1]) == "unreadable change malformed-1 REJECTED: malformed"
    assert driver.order.change_log.take_news() == ()
    driver.order.close(NOW)
    assert driver.order.change_log.take_news() == ()


def test_the_id_of_a_change_is_cut_where_there_is_little_room() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.change("hold", "native-cancel-" + "x" * 36)
    (verdict,) = driver.order.change_log.take_news()
    assert in_short(verdict) == "hold native-cancel-xxxxxxx... ACCEPTED"
