"""What holds for a silo whatever calls arrive, in whatever order, how often, and whatever becomes of pending work."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from simulated_silos.profiles import shipped_profiles
from simulated_silos.silo.model import Call, Change, Outcome, Refusal, ServiceState, Verb
from simulated_silos.silo.state import SiloState

CHANGES = TypeAdapter(Change)
FAILED = Refusal(status=422, code="no", message="no")
IDS = ["A.1.1/voice/number/0", "A.1.1/voice/number/1", "B.1.1/voice/number/0"]


def call(verb: Verb, service_id: str, n: int, number: str | None, asynchronous: bool) -> Call:
    return Call(
        verb=verb,
        id=service_id,
        key=f"{service_id}/{n}",
        n=n,
        operation="number",
        inputs={} if number is None or verb is Verb.COMPENSATE else {"number": number},
        order=service_id[0],
        callback_url=None,
        asynchronous=asynchronous,
    )


CALLS = st.builds(
    call,
    st.sampled_from([Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE]),
    st.sampled_from(IDS),
    st.integers(0, 4),
    # Among them the numbers that the silo would draw first.
    st.sampled_from([None, "+491", "+49305550000001", "+49305550000002"]),
    st.booleans(),
)
LANDINGS = st.tuples(st.sampled_from(IDS), st.integers(0, 4), st.sampled_from([None, FAILED]))
LOSSES = st.sampled_from(IDS)
HISTORIES = st.lists(CALLS | LANDINGS | LOSSES, max_size=40)


def changes(silo: SiloState, history: list[Call | tuple[str, int, Refusal | None] | str]) -> Iterator[Change]:
    """Let a history happen to a silo, checking each step, and tell what it changed."""
    done: set[str | None] = set()
    for event in history:
        before = {each.id: each for each in silo.services()}
        change: Change | None = None
        if isinstance(event, Call):
            decision = silo.decide(event)
            change = decision.change
            if decision.outcome is Outcome.APPLIED:
                assert event.key not in done
                done.add(event.key)
        elif isinstance(event, tuple):
            service_id, n, failure = event
            landing = silo.land(f"{service_id}/{n}", failure)
            change = landing.change if landing else None
        else:
            lost = silo.lose(event)
            change = lost[1] if lost else None
        assert {each.id: each for each in silo.services()} == before, "deciding changes nothing"
        if change is not None:
            silo.apply(change)
            yield change
        if isinstance(event, Call):
            after = {each.id: each for each in silo.services()}
            assert {i: s for i, s in before.items() if i != event.id} == {
                i: s for i, s in after.items() if i != event.id
            }
            if event.key in done and silo.decide(event).outcome is Outcome.APPLIED:
                raise AssertionError("the same call would be done twice")


@settings(max_examples=150, deadline=None)
@given(HISTORIES)
def test_no_value_is_held_twice_and_no_key_is_done_twice(
    history: list[Call | tuple[str, int, Refusal | None] | str],
) -> None:
    silo = SiloState(shipped_profiles().profile("number-inventory"))
    for _ in changes(silo, history):
        numbers = [each.outputs["number"] for each in silo.services() if each.state is ServiceState.ACTIVE]
        assert len(numbers) == len(set(numbers))
        pending = {order.call.id for order in silo.pending()}
        assert pending >= {each.id for each in silo.services() if each.state is ServiceState.PENDING}


@settings(max_examples=150, deadline=None)
@given(HISTORIES)
def test_a_silo_that_reads_its_changes_again_is_the_same_silo(
    history: list[Call | tuple[str, int, Refusal | None] | str],
) -> None:
    profile = shipped_profiles().profile("number-inventory")
    silo, again = SiloState(profile), SiloState(profile)
    for change in changes(silo, history):
        again.apply(CHANGES.validate_json(CHANGES.dump_json(change, exclude_defaults=True)))
    assert again.services() == silo.services()
    assert list(again.pending()) == list(silo.pending())
    for service_id in IDS:
        for n in range(6):
            for verb in (Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE):
                for asynchronous in (True, False):
                    probe = call(verb, service_id, n, "+491", asynchronous)
                    assert again.decide(probe) == silo.decide(probe)
