"""Telephone numbers changed while the order is in flight."""

from __future__ import annotations

from tests.cases import LINE, VOICE, in_order, submitted
from tests.given.households import internet_voice_tv, item, order, phone_number
from tests.running.pipe import Pipe


async def test_a_number_changed_to_b_and_back_to_a_leaves_a_alone_and_lets_b_go(pipe: Pipe) -> None:
    a, b = phone_number(), phone_number()
    case = await submitted(pipe, internet_voice_tv(a, equipment="own"), "field-service")
    await case.settles_but("@site-1/installation/visit-site")
    await case.amend({"id": "voice", "characteristics": {"number": b}})
    await case.makes(f"number-inventory.provision {VOICE}/reserve-number/1/0")
    await case.amend({"id": "voice", "characteristics": {"number": a}}, request_id="back")
    await case.rests("@site-1/installation/visit-site", revision=3)
    await case.complete("field-service")
    calls = await case.ends(
        "completed",
        f"access-network.provision {LINE}/activate-line/0/0",
        f"billing.provision {LINE}/start-billing/0/0",
        f"voice.provision {VOICE}/activate-line/0/0",
        f"number-inventory.compensate {VOICE}/reserve-number/1/1",
        f"billing.provision {VOICE}/start-billing/0/0",
        "tv.provision tv.1/tv/activate-tv/0/0",
        "billing.provision tv.1/tv/start-billing/0/0",
    )
    in_order(
        calls,
        f"voice.provision {VOICE}/activate-line/0/0",
        f"number-inventory.compensate {VOICE}/reserve-number/1/1",
    )
    assert (await case.held())[f"{VOICE}/activate-line"]["characteristics"]["number"] == a


async def test_a_number_changed_to_b_and_back_to_a_on_hold_asks_nobody_for_b(pipe: Pipe) -> None:
    a = phone_number()
    case = await submitted(pipe, internet_voice_tv(a), "shipping")
    await case.settles_but("delivery/ship-parcel")
    await case.change("hold", "hold")
    await case.amend({"id": "voice", "characteristics": {"number": phone_number()}}, request_id="to-b")
    await case.amend({"id": "voice", "characteristics": {"number": a}}, request_id="to-a")
    await case.change("release", "release")
    await case.complete("shipping")
    await case.ends("completed")


async def test_a_number_changed_back_while_the_live_line_moves_to_b_brings_the_line_back_to_a(pipe: Pipe) -> None:
    a, b = phone_number(), phone_number()
    case = await submitted(pipe, internet_voice_tv(a), "shipping")
    await case.settles_but("delivery/ship-parcel")
    await pipe.sim("PUT", "/voice/faults", {"latency_ms": 500})
    await case.amend({"id": "voice", "characteristics": {"number": b}})
    await pipe.until_task(case.order, "voice-line/activate-line", "inProgress")
    await case.amend({"id": "voice", "characteristics": {"number": a}}, request_id="back")
    expected = [
        f"number-inventory.provision {VOICE}/reserve-number/1/0",
        f"voice.amend {VOICE}/activate-line/0/1",
        f"voice.amend {VOICE}/activate-line/0/2",
    ]
    assert await case.makes(*expected) == expected
    assert (await case.held())[f"{VOICE}/activate-line"]["characteristics"]["number"] == a
    await case.complete("shipping")
    # It may be wanted again until then.
    await case.ends("completed", f"number-inventory.compensate {VOICE}/reserve-number/1/1")


async def test_two_lines_swap_their_numbers_and_only_one_of_them_is_interrupted(pipe: Pipe) -> None:
    a, b = phone_number(), phone_number()
    body = order(
        item("net", "fibre-100"),
        item("first", "voice-line", relies_on="net", number=a),
        item("second", "voice-line", relies_on="net", number=b),
    )
    case = await submitted(pipe, body, "shipping")
    await case.settles_but("delivery/ship-parcel")
    await case.amend(
        {"id": "first", "characteristics": {"number": b}}, {"id": "second", "characteristics": {"number": a}}
    )
    expected = [
        "voice.compensate first.1/voice-line/activate-line/0/1",
        "number-inventory.compensate first.1/voice-line/reserve-number/0/1",
        "number-inventory.provision second.1/voice-line/reserve-number/1/0",
        "voice.amend second.1/voice-line/activate-line/0/1",
        "number-inventory.compensate second.1/voice-line/reserve-number/0/1",
        "number-inventory.provision first.1/voice-line/reserve-number/1/0",
        "voice.provision first.1/voice-line/activate-line/1/0",
    ]
    assert await case.makes(*expected) == expected
    await case.rests("delivery/ship-parcel", revision=2)
    assert (await pipe.view(case.order)).fallout == ()
    held = await case.held()
    assert held["first.1/voice-line/activate-line"]["characteristics"]["number"] == b
    assert held["second.1/voice-line/activate-line"]["characteristics"]["number"] == a
