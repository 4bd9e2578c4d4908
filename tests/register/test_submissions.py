"""Order ids are claimed once, whoever asks at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from register import Register
from register.submissions import ClaimState
from tests.given.registers import NOON, a_record, a_view


def in_flight(**changes: object) -> OrderRecord:
    return OrderRecord(version=0, view=a_view(**{"state": LifecycleState.IN_PROGRESS, "completed_at": None, **changes}))


def test_an_id_that_nobody_took_is_free(register: Register) -> None:
    assert register.submissions.look_up("O1", "digest") is ClaimState.FREE


def test_an_id_is_taken_once_and_told_with_its_digest_after_that(register: Register) -> None:
    assert register.submissions.claim(in_flight(), "digest-1") is ClaimState.FREE
    assert register.submissions.claim(in_flight(revision=7), "digest-2") is ClaimState.OTHER_BODY
    assert register.submissions.look_up("O1", "digest-1") is ClaimState.NOT_BEGUN
    assert register.submissions.look_up("O1", "digest-2") is ClaimState.OTHER_BODY
    assert register.records.find("O1") == in_flight()


def test_of_many_claims_at_once_one_takes_the_id(register: Register) -> None:
    with ThreadPoolExecutor(max_workers=8) as threads:
        claims = list(threads.map(lambda number: register.submissions.claim(in_flight(), str(number)), range(16)))
    winner = claims.index(ClaimState.FREE)
    others = [ClaimState.FREE if number == winner else ClaimState.OTHER_BODY for number in range(16)]
    assert claims == others
    assert register.submissions.look_up("O1", str(winner)) is ClaimState.NOT_BEGUN


def test_a_claim_made_again_is_as_the_order_is_to_start_now(register: Register) -> None:
    register.submissions.claim(in_flight(), "digest")
    assert register.submissions.claim(in_flight(catalog="another"), "digest") is ClaimState.NOT_BEGUN
    assert register.records.find("O1") == in_flight(catalog="another")


def test_a_claim_whose_order_has_written_something_is_known_to_have_started(register: Register) -> None:
    register.submissions.claim(in_flight(), "digest")
    register.records.record(a_record(1))
    assert register.submissions.claim(in_flight(), "digest") is ClaimState.BEGUN
    assert register.submissions.look_up("O1", "digest") is ClaimState.BEGUN
    assert register.records.find("O1") == a_record(1)


def test_a_rejected_order_is_known_never_to_start(register: Register) -> None:
    register.submissions.claim(in_flight(state=LifecycleState.REJECTED), "digest")
    assert register.submissions.look_up("O1", "digest") is ClaimState.BEGUN


def test_the_id_of_an_order_that_was_deleted_stays_taken(register: Register) -> None:
    register.submissions.claim(in_flight(state=LifecycleState.REJECTED), "digest")
    register.records.delete("O1", NOON)
    assert register.submissions.look_up("O1", "digest") is ClaimState.DELETED
    assert register.submissions.look_up("O1", "another") is ClaimState.DELETED
    assert register.submissions.claim(in_flight(), "digest") is ClaimState.DELETED
    assert register.records.find("O1") is None


def test_a_claim_whose_order_was_lost_is_written_again(register: Register) -> None:
    register.submissions.claim(in_flight(), "digest")
    with register.database.writing() as connection:
        register.records.erase(connection, "O1")
    assert register.submissions.look_up("O1", "digest") is ClaimState.NOT_BEGUN
    assert register.submissions.claim(in_flight(), "digest") is ClaimState.NOT_BEGUN
    assert register.records.find("O1") == in_flight()


def test_a_withdrawn_claim_leaves_nothing_behind(register: Register) -> None:
    register.submissions.claim(in_flight(), "digest")
    register.submissions.withdraw("O1")
    assert register.records.find("O1") is None
    assert register.submissions.claim(in_flight(), "another") is ClaimState.FREE


def test_what_a_workflow_has_written_is_not_withdrawn(register: Register) -> None:
    register.submissions.claim(in_flight(), "digest")
    register.records.record(a_record(1))
    register.submissions.withdraw("O1")
    assert register.records.find("O1") == a_record(1)
