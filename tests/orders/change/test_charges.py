"""Charges: what is billed is what was undone."""

from __future__ import annotations

from decimal import Decimal

from orders.change.charges import Charge, charges_of, fall_due, spared, take_over, undone
from orders.change.impact import Effect, Impact, Obstacle
from orders.model.values import Money, Verb
from orders.reconcile.ledger import Ledger, Waiting
from tests.orders.support.builders import held, key_of, ledger_of

PARCEL = (key_of("parcel"), 0)
AT = "2026-01-01T00:00:00.000Z"


def charge(effect: Effect = Effect.COMPENSATED) -> Charge:
    fee = Money(amount=Decimal("9.90"), currency="EUR")
    return Charge("o.fee-1/charges/bill-fee", "c", fee, PARCEL, {"to": "here"}, effect)


def parcel(to: str) -> Ledger:
    return ledger_of(held("parcel", to=to))


def told(one: Charge) -> tuple[bool, bool]:
    return one.due, one.forgone


def test_what_is_let_go_of_is_due() -> None:
    one = charge()
    undone([one], PARCEL)
    fall_due([one], Ledger())
    assert told(one) == (True, False)


def test_what_is_forgotten_without_an_undo_was_spent_and_is_not_billed() -> None:
    one = charge()
    fall_due([one], Ledger())
    undone([one], PARCEL)
    assert told(one) == (False, True)


def test_an_amendment_is_due_once_it_is_done() -> None:
    one = charge(Effect.AMENDED)
    fall_due([one], parcel("here"))
    assert told(one) == (False, False)
    fall_due([one], parcel("there"))
    assert told(one) == (True, False)


def test_an_awaited_amendment_that_is_set_back_is_paid_for_once_it_has_been_and_not_where_it_stays() -> None:
    ledger = parcel("here")
    fact = ledger.facts[PARCEL[0]][0]
    fact.waiting = Waiting(Verb.AMEND, 1, {"to": "there"}, {}, AT)
    fee = Money(amount=Decimal("9.90"), currency="EUR")
    met = Obstacle(task=PARCEL[0], silo="shipping", items=(), effect=Effect.AMENDED, since=AT, fee=fee)
    for final, due in (("here", True), ("there", False)):
        [one] = charges_of("o", "c", 1, ledger, Impact(tasks=(), obstacles=(met,)))
        fall_due([one], ledger)
        assert told(one) == (False, False)
        fall_due([one], parcel(final))
        assert told(one) == (due, False)
    take_over([one], ledger, (), parcel("there"))
    assert told(one) == (False, True)


def test_only_what_is_given_up_by_this_very_change_is_told_as_spared() -> None:
    given_up, pending = charge(), charge()
    given_up.forgone = True
    assert spared([given_up, pending], parcel("here"), (), Ledger()) == ()
    [told_of] = spared([given_up, pending], parcel("here"), (), parcel("here"))
    assert (told_of.change, told_of.fee) == (pending.change, pending.money)
    assert told(pending) == (False, False)


def test_an_undo_is_not_paid_for_by_an_amendment() -> None:
    one = charge()
    fall_due([one], parcel("there"))
    assert told(one) == (False, False)


def test_a_target_that_undoes_nothing_gives_the_charge_up() -> None:
    one = charge()
    take_over([one], parcel("here"), (), parcel("here"))
    assert told(one) == (False, True)


def test_a_target_that_undoes_it_in_another_way_is_paid_for_that_way() -> None:
    one = charge()
    take_over([one], parcel("here"), (), parcel("there"))
    assert (one.effect, told(one)) == (Effect.AMENDED, (False, False))
    take_over([one], parcel("here"), (), Ledger())
    assert (one.effect, told(one)) == (Effect.COMPENSATED, (False, False))


def test_what_a_silo_is_at_is_paid_for_whatever_the_new_target() -> None:
    one = charge()
    take_over([one], parcel("here"), {PARCEL}, parcel("here"))
    assert told(one) == (False, False)


def test_what_was_to_be_made_anew_and_is_amended_instead_is_paid_for_as_that() -> None:
    one = charge(Effect.REPLACED)
    fall_due([one], parcel("here"))
    assert told(one) == (False, False)
    fall_due([one], parcel("there"))
    assert (*told(one), one.effect) == (True, False, Effect.AMENDED)
