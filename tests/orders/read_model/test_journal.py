"""What an order tells: its moves and those of its items, with their causes, and events; record by record."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import JsonValue, TypeAdapter

from orders.change.request import ItemUpdate
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import Snapshot
from orders.model.order import RequestedItem, Site
from orders.model.values import Money
from orders.read_model.records import EventKind, Transition
from orders.tracking.observation import observe
from orders.tracking.reporting import order_record, order_view
from tests.orders.support.driver import NOW, Driver, household, key

SELF = {"installation": "self", "equipment": "own"}


class ResponseModel(Driver):
    """An order, promised for next week, and what it tells."""

    def __init__(self, *, waiting: Collection[str] = (), **internet: JsonValue) -> None:
        super().__init__(household(**internet), waiting=waiting)
        self.order.start = self.order.start.model_copy(update={"promised_at": NOW + timedelta(days=7)})

    def run(self) -> list[str]:
        calls = super().run()
        if self.order.settled:
            self.order.close(NOW)
        return calls

    def moves(self, item: str | None = None) -> list[str]:
        """The states that an item, or the order, has gone through."""
        return [move.after.value for move in self.transitions() if move.item == item]

    def causes(self, item: str | None = None) -> list[str]:
        """What they were due to, task keys without their scope."""
        return [move.cause.split("/", 1)[-1] for move in self.transitions() if move.item == item]

    def transitions(self) -> list[Transition]:
        return [move for move in self.order.carried.journal.transitions if move.milestone is None]

    def events(self, kind: EventKind) -> list[dict[str, JsonValue]]:
        return [event.data for event in self.order.carried.journal.events if event.kind is kind]


# Moves


def test_an_order_that_runs_through_tells_each_move_with_what_led_to_it() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    told.complete("field-service")
    told.run()
    for item in ("net", "voice", "tv", None):
        assert told.moves(item) == ["acknowledged", "inProgress", "completed"]
    assert told.causes("net") == ["submitted", "submitted", "fibre-internet/start-billing provision done"]
    assert told.causes("tv")[-1] == "tv/start-billing provision done"
    assert told.causes()[-1].endswith("/start-billing provision done")
    assert len(told.transitions()) == 12
    carried = told.order.carried.journal
    assert [move.number for move in carried.transitions] == list(range(1, carried.last_transition + 1))


def test_what_came_by_callback_is_a_cause_too() -> None:
    told = ResponseModel(waiting=["field-service"], equipment="own")
    told.refuse["access-network.provision"] = "no_light"
    told.run()
    told.complete("field-service")
    observe(told.order, NOW)
    assert "installation/visit-site provision done" in told.order.carried.journal.cause


def test_a_cancellation_is_assessed_and_carried_out_even_where_the_verdict_is_immediate() -> None:
    told = ResponseModel(**SELF)
    told.refuse["billing.provision"] = "closed"
    told.run()
    told.refuse.clear()
    told.change("cancel", "away")
    told.run()
    assert told.moves()[-4:] == ["held", "assessingCancellation", "pendingCancellation", "cancelled"]
    assert told.causes()[-3:-1] == ["change away: cancel assessing", "change away: cancel accepted"]
    assert told.moves("voice")[-3:] == ["held", "pendingCancellation", "cancelled"]
    states = [event["state"] for event in told.events(EventKind.STATE_CHANGED)]
    assert [state for place, state in enumerate(states) if states[place - 1] != state][-4:] == told.moves()[-4:]


def test_after_a_refused_cancellation_the_order_is_back_where_it_was() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    told.change("cancel", "away")
    observe(told.order, NOW)
    assert told.moves()[-2:] == ["assessingCancellation", "inProgress"]
    assert told.causes()[-1] == "change away: cancel rejected"
    assert [event["state"] for event in told.events(EventKind.STATE_CHANGED)][-2:] == told.moves()[-2:]


def test_a_cancellation_refused_whatever_its_impact_is_not_assessed_at_all() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    told.change("cancel", "away", expected_revision=7)
    observe(told.order, NOW)
    assert told.moves() == ["acknowledged", "inProgress"]


def test_a_removed_item_ends_cancelled_and_asked_for_again_it_begins_anew() -> None:
    told = ResponseModel(**SELF)
    told.refuse["voice.provision"] = "no_number"
    told.run()
    told.change("amend", "1", remove=("tv",))
    told.run()
    tv = ["acknowledged", "inProgress", "completed", "assessingCancellation", "pendingCancellation", "cancelled"]
    assert told.moves("tv") == tv
    assert told.causes("tv")[3] == "change 1: amend accepted"
    again = RequestedItem(id="tv", offering="tv-basic", relies_on=("net",), site=Site(id="home"))
    told.change("amend", "2", add=(again,))
    told.run()
    assert told.moves("tv") == [*tv, "acknowledged", "inProgress", "completed"]


def test_an_item_that_is_amended_after_its_completion_is_in_progress_again() -> None:
    told = ResponseModel(**SELF)
    told.refuse["voice.provision"] = "no_number"
    told.run()
    told.change("amend", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    told.order.reconciler.next_steps()
    observe(told.order, NOW)
    assert told.moves("tv") == ["acknowledged", "inProgress", "completed", "inProgress"]


def test_an_item_that_has_to_begin_again_is_not_told_as_if_it_had_never_begun() -> None:
    told = ResponseModel(**SELF)
    told.refuse["voice.provision"] = "no_number"
    told.run()
    told.order.carried.on_hold = True
    told.change("amend", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    observe(told.order, NOW)
    assert told.moves("tv") == ["acknowledged", "inProgress", "completed"]
    told.order.reconciler.mark_for_replacement(key(told, "customer/open-account"))
    told.order.reconciler.next_steps(1)
    observe(told.order, NOW)
    assert "acknowledged" not in told.moves("tv")[1:]


def test_an_order_on_hold_is_told_in_the_next_run_as_it_was_in_the_last() -> None:
    told = ResponseModel(**SELF)
    told.refuse["voice.provision"] = "no_number"
    told.run()
    told.change("hold")
    observe(told.order, NOW)
    moves = told.order.carried.journal.transitions[:]
    after = Fulfilment(told.order.start.model_copy(update={"carried": told.order.carried}))
    observe(after, NOW)
    assert after.carried.journal.transitions == moves
    assert [item.state for item in order_view(after, NOW).items] == ["completed", "held", "completed"]


# Events


def test_an_order_announces_itself_and_what_moves_at_once_in_one_event() -> None:
    told = ResponseModel(**SELF)
    told.run()
    assert told.events(EventKind.CREATED) == [{"revision": 1}]
    assert told.events(EventKind.STATE_CHANGED) == [
        {"state": "inProgress", "items": dict.fromkeys(("net", "voice", "tv"), "inProgress")},
        {"state": "inProgress", "items": {"net": "completed"}},
        {"state": "completed", "items": dict.fromkeys(("voice", "tv"), "completed")},
    ]


def test_a_new_revision_is_announced_by_the_names_of_what_is_different() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    told.change(
        "amend",
        "more",
        update=(ItemUpdate(id="tv", offering="tv-sport"),),
        remove=("voice",),
        add=(RequestedItem(id="m", offering="mobile-s"),),
        priority=1,
    )
    assert told.events(EventKind.ATTRIBUTES_CHANGED) == [
        {
            "revision": 2,
            "change": "more",
            "order": ["priority"],
            "items": {"voice": ["removed"], "tv": ["offering", "characteristics"], "m": ["added"]},
        }
    ]


def test_names_that_a_request_brings_along_are_announced_with_the_revision_though_no_silo_uses_them() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    told.change("amend", "words", document="d" * 64, attributes={"": ("note",), "tv": ("itemTerm",)})
    assert told.events(EventKind.ATTRIBUTES_CHANGED) == [
        {
            "revision": 2,
            "change": "words",
            "order": [],
            "items": {},
            "attributes": {"": ["note"], "tv": ["itemTerm"]},
        }
    ]


def test_a_new_revision_in_which_nothing_is_different_is_not_announced() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    told.change("changePriority", "same", priority=told.order.revision.priority)
    assert told.order.revision.number == 2
    assert told.events(EventKind.ATTRIBUTES_CHANGED) == []


def test_a_cancellation_is_announced_from_its_request_to_its_end() -> None:
    told = ResponseModel(**SELF)
    told.refuse["voice.provision"] = "no_number"
    told.run()
    told.change("cancel", "away")
    told.run()
    assert told.events(EventKind.CANCELLATION_REQUESTED) == [{"change": "away"}]
    assert told.events(EventKind.CANCELLATION_STATE_CHANGED) == [
        {"change": "away", "state": "inProgress"},
        {"change": "away", "state": "done"},
    ]


def test_a_cancellation_that_is_refused_ends_with_an_error_and_says_what_fee_it_would_have_to_accept() -> None:
    told = ResponseModel(installation="self")
    told.refuse["voice.provision"] = "no_number"
    told.run()
    told.change("cancel", "away")
    story = [
        (event.kind, event.data.get("state"))
        for event in told.order.carried.journal.events
        if event.data.get("change") == "away"
    ]
    assert story == [
        (EventKind.CANCELLATION_REQUESTED, None),
        (EventKind.CANCELLATION_STATE_CHANGED, "inProgress"),
        (EventKind.CANCELLATION_INFORMATION_REQUIRED, None),
        (EventKind.CANCELLATION_STATE_CHANGED, "terminatedWithError"),
    ]
    assert all("fees" not in event for event in told.events(EventKind.INFORMATION_REQUIRED))
    (asked,) = told.events(EventKind.CANCELLATION_INFORMATION_REQUIRED)
    assert asked == {"change": "away", "fees": [Money(amount=Decimal("9.90"), currency="EUR").model_dump(mode="json")]}


def test_what_comes_to_wait_for_a_person_is_announced_once_until_it_does_so_again() -> None:
    told = ResponseModel(**SELF)
    told.refuse["voice.provision"] = "no_number"
    told.run()
    voice = key(told, "voice-line/activate-line")
    event = {"fallout": [{"task": voice, "silo": "voice", "code": "no_number"}]}
    told.change("amend", "1", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    told.run()
    assert told.events(EventKind.INFORMATION_REQUIRED) == [event]
    told.change("retry", "2", task=voice)
    told.order.reconciler.next_steps(0)
    told.run()
    assert told.events(EventKind.INFORMATION_REQUIRED) in ([event], [event, event])


def test_a_milestone_is_announced_once_for_each_thing_that_is_made() -> None:
    told = ResponseModel(**SELF)
    told.refuse["voice.provision"] = "no_number"
    told.run()
    assert [event["milestone"] for event in told.events(EventKind.MILESTONE)] == ["internet-active", "tv-active"]
    told.change("amend", "1", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    told.run()
    assert len(told.events(EventKind.MILESTONE)) == 2
    tv = key(told, "tv/activate-tv")
    told.change("replace", "2", task=tv)
    told.run()
    assert told.events(EventKind.MILESTONE)[-1] == {"milestone": "tv-active", "task": tv, "items": ["tv"]}
    assert len(told.events(EventKind.MILESTONE)) == 3


def test_jeopardy_is_announced_when_it_comes_and_when_it_is_over() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    told.order.recorded(order_record(told.order, NOW))
    late_at = NOW
    while not any(event["inJeopardy"] for event in told.events(EventKind.JEOPARDY)):
        before, look = told.events(EventKind.JEOPARDY), told.order.journal.late_at
        assert look is not None
        observe(told.order, look - timedelta(seconds=2))
        assert told.events(EventKind.JEOPARDY) == before
        late_at = look
        observe(told.order, late_at)
    event = told.events(EventKind.JEOPARDY)[-1]
    assert event["level"] == "inJeopardy"
    assert event["promisedAt"] == told.promised_at.isoformat()
    assert datetime.fromisoformat(str(event["expectedAt"])) > told.promised_at
    told.complete("field-service")
    told.run()
    order_record(told.order, late_at)
    assert [event["level"] for event in told.events(EventKind.JEOPARDY)][-2:] == ["inJeopardy", "none"]


# Records


def test_a_record_tells_what_is_new_and_only_what_the_register_has_is_forgotten() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    first = order_record(told.order, NOW)
    assert (first.version, [revision.number for revision in first.revisions]) == (1, [0, 1])
    told.change("hold")
    observe(told.order, NOW)
    told.order.recorded(first)
    assert not told.order.journal.complete
    second = order_record(told.order, NOW)
    assert [move.after for move in second.transitions] == ["held"]
    assert second.transitions[0].number == first.transitions[-1].number + 1
    assert second.events[0].number == first.events[-1].number + 1
    assert (second.version, second.revisions) == (2, ())
    told.order.recorded(second)
    assert told.order.journal.complete
    assert told.transitions() == []


def test_of_the_revisions_that_the_register_has_only_the_current_one_is_carried() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    on_its_way = order_record(told.order, NOW)
    told.change("amend", "c1", remove=("tv",))
    told.order.recorded(on_its_way)
    assert [revision.number for revision in told.order.carried.revisions] == [2]
    told.change("amend", "c2", update=(ItemUpdate(id="net", characteristics={"down_mbps": 400}),))
    told.run()
    snapshot = TypeAdapter(Snapshot)
    carried = snapshot.validate_json(snapshot.dump_json(told.order.carried))
    after = Fulfilment(told.order.start.model_copy(update={"carried": carried}))
    record = order_record(after, NOW)
    assert [revision.number for revision in record.revisions] == [2, 3]
    assert [item.id for item in record.view.items] == ["net", "voice", "tv"]
    assert record.view.items[0].characteristics["down_mbps"] == 400
    after.recorded(record)
    assert [revision.number for revision in after.carried.revisions] == [3]
    assert order_record(after, NOW).revisions == ()


def test_what_was_on_its_way_when_a_run_ended_is_told_again_under_the_next_version() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    lost = order_record(told.order, NOW)
    snapshot = TypeAdapter(Snapshot)
    carried = snapshot.validate_json(snapshot.dump_json(told.order.carried))
    after = Fulfilment(told.order.start.model_copy(update={"carried": carried}))
    assert after.journal.news_since is not None
    again = order_record(after, NOW)
    assert (again.version, again.transitions, again.events) == (2, lost.transitions, lost.events)


def test_a_rejected_change_is_worth_a_record_though_nothing_has_moved() -> None:
    told = ResponseModel(waiting=["field-service"])
    told.run()
    told.order.recorded(order_record(told.order, NOW))
    assert told.order.journal.news_since is None
    told.change("hold", expected_revision=7)
    assert told.order.journal.news_since is not None
    assert [change.state for change in order_record(told.order, NOW).view.changes] == ["rejected"]


def test_a_record_tells_the_fees_that_were_accepted() -> None:
    told = ResponseModel(installation="self")
    told.refuse["voice.provision"] = "no_number"
    told.run()
    fee = Money(amount=Decimal("9.90"), currency="EUR")
    told.change("cancel", "away", accept_fee=fee)
    told.run()
    (charge,) = order_record(told.order, NOW).charges
    assert (charge.change, charge.money, charge.billed, charge.forgone) == ("away", fee, True, False)
    assert charge.task.endswith("charges/bill-fee")
