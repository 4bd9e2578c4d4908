"""Silos that have done it when they answer."""

from __future__ import annotations

from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from tests.activities.bench import THING, Bench, call

DONE, ACKNOWLEDGED, LOST = OutcomeKind.DONE, OutcomeKind.ACKNOWLEDGED, OutcomeKind.LOST


async def test_a_provision_is_done_with_all_that_the_silo_answered(bench: Bench) -> None:
    outcome = await bench.provision("voice", call(operation="line", profile="basic", port_id=None))
    assert outcome == Outcome(DONE, {"profile": "basic", "port_id": None, "voice_id": "VOICE-0000001"})
    assert await bench.held("voice") == {THING: {"profile": "basic", "port_id": None}}


async def test_a_value_that_was_left_to_the_silo_comes_back_as_given_out(bench: Bench) -> None:
    outcome = await bench.provision("number-inventory", call(operation="number", number=None))
    assert outcome.outputs == {"number": "+49305550000001"}


async def test_an_amendment_is_done_with_the_new_inputs_and_the_outputs_kept(bench: Bench) -> None:
    await bench.provision("voice", call(operation="line", profile="basic", extra=1))
    outcome = await bench.amend("voice", call(1, operation="line", profile="premium"))
    assert outcome == Outcome(DONE, {"profile": "premium", "voice_id": "VOICE-0000001"})
    assert await bench.held("voice") == {THING: {"profile": "premium"}}


async def test_an_amendment_of_what_is_not_there_tells_that_it_is_lost(bench: Bench) -> None:
    outcome = await bench.amend("voice", call(1))
    assert (outcome.kind, outcome.code) == (LOST, "unknown_service")


async def test_a_compensation_is_done_whether_or_not_anything_was_there(bench: Bench) -> None:
    await bench.provision("voice", call())
    assert await bench.compensate("voice", call(1)) == Outcome(DONE)
    assert await bench.compensate("voice", call(0, of="i1.1/fibre/never/1")) == Outcome(DONE)
    assert await bench.held("voice") == {}


async def test_a_service_id_with_awkward_characters_is_one_segment_of_the_path(bench: Bench) -> None:
    awkward = "site@a/b c%2F?#/1"
    await bench.provision("voice", call(of=awkward, a=1))
    assert (await bench.amend("voice", call(1, of=awkward, a=2))).kind is DONE
    assert (await bench.inspect("voice", call(1, of=awkward))).outputs == {"a": 2}
    assert await bench.held("voice") == {awkward: {"a": 2}}


async def test_every_retry_is_replayed_under_its_key(bench: Bench) -> None:
    once = await bench.provision("voice", call(operation="line"))
    again = await bench.provision("voice", call(operation="line"), attempt=2)
    assert again == once
    assert await bench.journal("voice") == ["provision applied", "provision replayed"]


async def test_a_provision_that_a_compensation_overtook_tells_that_nothing_is_held(bench: Bench) -> None:
    await bench.compensate("voice", call(1))
    outcome = await bench.provision("voice", call(0))
    assert (outcome.kind, outcome.code) == (LOST, "terminated")


async def test_a_key_used_again_for_something_else_is_refused(bench: Bench) -> None:
    await bench.provision("voice", call(0, a=1))
    outcome = await bench.provision("voice", call(0, a=2))
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "key_reused")


async def test_an_inspection_tells_whether_the_service_is_held(bench: Bench) -> None:
    assert await bench.inspect("voice", call()) == Outcome(LOST)
    await bench.provision("voice", call(a=1))
    assert await bench.inspect("voice", call()) == Outcome(DONE, {"a": 1})


async def test_an_awaited_call_is_done_only_once_its_effect_is_there_to_see(bench: Bench) -> None:
    async def asked(verb: Verb, a: int) -> OutcomeKind:
        return (await bench.inspect("voice", call(1, awaited=verb, a=a))).kind

    assert await asked(Verb.PROVISION, 1) is ACKNOWLEDGED
    assert await asked(Verb.AMEND, 1) is LOST
    assert await asked(Verb.COMPENSATE, 1) is DONE
    await bench.provision("voice", call(a=1))
    assert await asked(Verb.PROVISION, 1) is DONE
    assert await asked(Verb.AMEND, 1) is DONE
    assert await asked(Verb.AMEND, 2) is ACKNOWLEDGED
    assert await asked(Verb.COMPENSATE, 1) is ACKNOWLEDGED
