"""Work items: what calls of an order, in whatever order they come, make of what people are asked to do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from orders.model.characteristic import Characteristic
from orders.model.values import Verb
from orders.read_model.work_state import WorkState
from orders.reconcile.outcome import Outcome, OutcomeKind
from register import Register
from register.hands import Claimed, Over
from register.work_items.asked import OVERTAKEN
from register.work_items.item import Asked, Sight, WorkItem, WorkQuery, item_id
from tests.given.registers import NOON, told

SERVICE = "O1.1.1/building/permit/0"
ID = item_id(SERVICE)
FORM = {"number": Characteristic(required=True)}
PROVISION, AMEND, COMPENSATE = Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE
DONE, ACKNOWLEDGED, REFUSED, LOST = (
    OutcomeKind.DONE,
    OutcomeKind.ACKNOWLEDGED,
    OutcomeKind.REFUSED,
    OutcomeKind.LOST,
)


def asked(number: int = 0, service: str = SERVICE, **changes: Any) -> Asked:
    inputs = {"metres": changes.pop("metres", 20)}
    given = {"order_id": "O1", "service": service, "number": number, "silo": "office", "operation": "permit"}
    return Asked.model_validate({**given, "title": "Permit", "group": "g", "inputs": inputs, "form": FORM, **changes})


def ask(register: Register, verb: Verb, number: int, at: datetime = NOON, **changes: Any) -> Outcome:
    return register.work_items.ask(verb, asked(number, **changes), at)


def one(register: Register, work: str = ID) -> WorkItem:
    item = register.work_items.find(work)
    assert item is not None
    return item


def claim(register: Register, by: str = "Ada") -> None:
    register.work_items.hands.claim(ID, by, NOON)
    register.work_items.begin(ID, NOON)


def finish(register: Register, state: WorkState = WorkState.DONE, **ended: Any) -> bool:
    given = {"outputs": {"number": "P-1"}} if state is WorkState.DONE else {"code": "no", "reason": "They said no"}
    return register.work_items.end(one(register), state, "Ada", NOON, **{**given, **ended})


def story(register: Register) -> list[str]:
    return [f"{entry.by} {entry.kind} {entry.note}".strip() for entry in register.work_items.story(ID)]


def listed(register: Register, **query: Any) -> list[str]:
    page = register.work_items.page(WorkQuery(**query))
    assert page.total == len(page.items)
    return [item.service for item in page.items]


def test_a_call_opens_a_work_item_once(register: Register) -> None:
    for _ in range(2):
        assert ask(register, PROVISION, 0, due_at=NOON + timedelta(days=1)).kind is ACKNOWLEDGED
    item = one(register)
    assert (item.state, item.verb, item.inputs, item.form, item.group) == ("open", PROVISION, {"metres": 20}, FORM, "g")
    assert (item.opened_at, item.due_at, item.begun_at, item.over_at) == (NOON, NOON + timedelta(days=1), None, None)
    assert story(register) == ["order opened"]


def test_what_is_done_answers_the_call_with_its_outputs(register: Register) -> None:
    ask(register, PROVISION, 0)
    assert finish(register)
    assert ask(register, PROVISION, 0) == Outcome(DONE, {"number": "P-1"})
    assert register.work_items.became(PROVISION, SERVICE, 0) == Outcome(DONE, {"number": "P-1"})
    assert listed(register) == []


def test_what_is_refused_answers_the_call_and_may_be_asked_for_again(register: Register) -> None:
    ask(register, PROVISION, 0)
    assert finish(register, WorkState.REFUSED)
    assert ask(register, PROVISION, 0) == Outcome(REFUSED, code="no", reason="They said no")
    assert ask(register, AMEND, 1).kind is LOST
    assert ask(register, PROVISION, 2).kind is ACKNOWLEDGED
    assert one(register).state is WorkState.OPEN


def test_an_amendment_changes_what_is_open_tells_what_has_changed_and_leaves_it_whose_it_is(register: Register) -> None:
    ask(register, PROVISION, 0)
    claim(register)
    assert ask(register, AMEND, 1, metres=35).kind is ACKNOWLEDGED
    item = one(register)
    assert (item.verb, item.number, item.older, item.claimed_by) == (PROVISION, 1, (0,), "Ada")
    assert item.inputs == {"metres": 35}
    assert story(register) == ["order opened", "Ada claimed", "order changed metres: 20, now 35"]
    finish(register)
    assert register.work_items.became(PROVISION, SERVICE, 0).kind is DONE


def test_an_amendment_opens_what_is_done_again(register: Register) -> None:
    ask(register, PROVISION, 0)
    finish(register)
    assert ask(register, AMEND, 1, metres=35).kind is ACKNOWLEDGED
    item = one(register)
    assert (item.state, item.verb, item.older, item.outputs) == ("open", AMEND, (), {"number": "P-1"})
    finish(register, WorkState.REFUSED)
    assert register.work_items.became(AMEND, SERVICE, 1).kind is REFUSED
    assert ask(register, AMEND, 2).kind is ACKNOWLEDGED


def test_what_nobody_has_begun_falls_away_and_a_late_call_does_not_bring_it_back(register: Register) -> None:
    ask(register, PROVISION, 0)
    assert ask(register, COMPENSATE, 1).kind is DONE
    assert (one(register).state, listed(register)) == (WorkState.FALLEN_AWAY, [])
    for verb, number in ((PROVISION, 0), (PROVISION, 5), (AMEND, 6)):
        assert ask(register, verb, number).kind is LOST
    assert ask(register, COMPENSATE, 7).kind is DONE
    assert one(register).state is WorkState.FALLEN_AWAY


def test_an_undoing_of_what_never_was_is_done_and_stands_against_what_it_overtook(register: Register) -> None:
    assert ask(register, COMPENSATE, 1).kind is DONE
    assert ask(register, PROVISION, 0).kind is LOST
    assert listed(register) == []


@pytest.mark.parametrize("done", [False, True])
def test_what_was_begun_is_to_be_undone_by_a_person(register: Register, done: bool) -> None:
    ask(register, PROVISION, 0)
    claim(register)
    if done:
        finish(register)
    for _ in range(2):
        assert ask(register, COMPENSATE, 1, metres=None).kind is ACKNOWLEDGED
    item = one(register)
    assert (item.state, item.verb, item.form, item.claimed_by) == ("open", COMPENSATE, {}, "Ada")
    assert item.inputs == {"metres": 20}  # What there is to undo.
    assert finish(register, outputs={})
    assert ask(register, COMPENSATE, 1).kind is DONE
    assert ask(register, PROVISION, 0).kind is LOST


def test_what_is_not_to_be_undone_after_all_can_be_amended(register: Register) -> None:
    ask(register, PROVISION, 0)
    finish(register)
    ask(register, COMPENSATE, 1)
    finish(register, WorkState.REFUSED)
    assert ask(register, COMPENSATE, 1).kind is REFUSED
    assert ask(register, AMEND, 2, metres=9).kind is ACKNOWLEDGED
    assert ask(register, COMPENSATE, 1).code == OVERTAKEN


def test_a_call_that_a_newer_one_overtook_changes_nothing(register: Register) -> None:
    ask(register, PROVISION, 0)
    ask(register, AMEND, 2, metres=35)
    assert ask(register, AMEND, 1, metres=30).kind is ACKNOWLEDGED
    assert one(register).inputs == {"metres": 35}


def test_there_is_nothing_to_amend_where_nothing_is(register: Register) -> None:
    assert ask(register, AMEND, 1).kind is LOST
    assert register.work_items.find(ID) is None
    assert register.work_items.became(PROVISION, SERVICE, 0).kind is LOST


def test_what_was_changed_meanwhile_is_not_ended(register: Register) -> None:
    ask(register, PROVISION, 0)
    before = one(register)
    ask(register, AMEND, 1, metres=35)
    assert not register.work_items.end(before, WorkState.DONE, "Ada", NOON, outputs={"number": "P-1"})
    assert one(register).state is WorkState.OPEN


def test_one_person_has_it_at_a_time(register: Register) -> None:
    ask(register, PROVISION, 0)

    def tries(by: str) -> bool:
        try:
            return register.work_items.hands.claim(ID, by, NOON)
        except Claimed:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tries, map(str, range(8)))) == 1
    finish(register)
    with pytest.raises(Over):
        register.work_items.hands.claim(ID, "Zoe", NOON)


def test_calls_at_the_same_time_open_one_work_item(register: Register) -> None:
    with ThreadPoolExecutor(8) as pool:
        kinds = set(pool.map(lambda _: ask(register, PROVISION, 0).kind, range(8)))
    assert (kinds, story(register)) == ({ACKNOWLEDGED}, ["order opened"])


def test_work_items_are_found_by_what_is_known_of_them_what_is_due_first_comes_first(register: Register) -> None:
    hour = timedelta(hours=1)
    for name, group, due in (("a", "g", 3), ("b", None, 1), ("c", "other", 2), ("d", "g", None)):
        due_at = None if due is None else NOON + due * hour
        register.work_items.ask(PROVISION, asked(service=f"{name}/x/y/0", group=group, due_at=due_at), NOON)
    every = ["b/x/y/0", "c/x/y/0", "a/x/y/0", "d/x/y/0"]
    assert listed(register) == every
    assert listed(register, group="g") == ["a/x/y/0", "d/x/y/0"]
    assert listed(register, due_before=NOON + 2 * hour) == ["b/x/y/0"]
    assert listed(register, sight=Sight(frozenset({"g"}))) == ["b/x/y/0", "a/x/y/0", "d/x/y/0"]
    assert listed(register, sight=Sight()) == ["b/x/y/0"]
    assert register.work_items.find(item_id("a/x/y/0"), Sight()) is None
    register.work_items.hands.claim(item_id("a/x/y/0"), "Ada", NOON)
    assert listed(register, claimed=True) == listed(register, claimed_by="Ada") == ["a/x/y/0"]
    assert listed(register, state=(WorkState.DONE,)) == []
    assert (listed(register, order="O2"), listed(register, silo="office")) == ([], every)
    page = register.work_items.page(WorkQuery(offset=1, limit=2))
    assert ([item.service for item in page.items], page.total) == (every[1:3], 4)


def test_what_an_order_was_deleted_with_is_forgotten_but_for_what_is_still_there(register: Register) -> None:
    other = "O1.1.1/building/other/0"
    register.records.record(told(1))
    ask(register, PROVISION, 0, instructions="At Erika's")
    finish(register)
    register.work_items.ask(PROVISION, asked(service=other), NOON)
    register.records.delete("O1", NOON)
    item = one(register)
    assert (item.instructions, item.inputs, item.outputs, item.title) == ("", {}, {}, "permit")
    assert register.work_items.find(item_id(other)) is None
    assert story(register) == []


def test_what_is_over_is_forgotten_with_its_customer(register: Register) -> None:
    other = "O1.1.1/building/other/0"
    register.records.record(told(1))
    ask(register, PROVISION, 0, instructions="At Erika's")
    finish(register, note="Erika was there")
    register.work_items.ask(PROVISION, asked(service=other, instructions="At Erika's"), NOON)
    register.terms.erase_customer("C1", NOON)
    assert (one(register).instructions, one(register, item_id(other)).instructions) == ("", "At Erika's")
    assert "Erika was there" not in " ".join(story(register))
