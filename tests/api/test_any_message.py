"""Whatever comes in to an order in flight, by whichever door, its workflow goes on and it can be cancelled.

Signals, updates, callbacks, patches and changes are made from sound ones, with something broken in them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.fuzzing import broken, harmed, some
from tests.given.households import item
from tests.running.pipe import Pipe
from tests.soak.hostile.doors import send_bytes
from tests.soak.hostile.messages import ENCODINGS
from tests.soak.script import Door
from tests.soak.shrinking import shrunk
from tests.steps import under_way

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]

ORDERS = 24
AT_A_TIME = 8
MOST_TRIES = 5

SITE = {"id": "site-2", "place": {"streetName": "Ahornallee", "city": "Musterstadt"}}
SIGNALLED: list[dict[str, Any]] = [
    {
        "kind": "amend",
        "update": [{"id": "net", "characteristics": {"down_mbps": 400}, "site": SITE}],
        "add": [{"id": "sim", "offering": "mobile-s", "characteristics": {"sim_type": "esim"}, "quantity": 2}],
        "remove": ["tv"],
        "priority": 1,
        "content": {"note": [{"text": "ring twice"}]},
    },
    {
        "kind": "reschedule",
        "requested_start": "2031-03-01T08:00:00Z",
        "requested_completion": "2031-03-14T16:00:00Z",
        "appointments": [
            {"site": "site-1", "start": "2031-03-03T08:00:00+01:00", "end": "2031-03-03T12:00:00+01:00"}
            | {"time_zone": "Europe/Berlin"}
        ],
    },
    {"kind": "cancelItems", "items": ["voice"], "cascade": True, "accept_fee": {"amount": "1.00", "currency": "EUR"}},
    {
        "kind": "changePriority",
        "priority": 3,
        "expected_revision": 1,
        "digest": "x",
        "asked_at": "2031-03-01T08:00:00Z",
    },
    {
        "kind": "resolve",
        "task": "{order}.net.1/fibre-internet/activate-line",
        "resolution": "done",
        "outputs": {"a": "b"},
    },
    {"kind": "changePromise", "promised_at": "2031-03-14T16:00:00Z"},
]
SIGNALS = [
    {"request_id": "{id}", "requester": "agent", "channel": "care", "reason": "why"} | each for each in SIGNALLED
]
CARED: list[dict[str, Any]] = [
    {
        "kind": "amend",
        "add": [item("sim", "mobile-s")],
        "update": [{"id": "net", "characteristics": {"down_mbps": 400}}],
    },
    {
        "kind": "reschedule",
        "requestedCompletionDate": "2031-03-14T16:00:00Z",
        "appointments": [{"site": "site-1", "start": "2031-03-03T08:00:00+01:00", "timeZone": "Europe/Berlin"}],
    },
    {"kind": "retry", "task": "{order}.net.1/fibre-internet/activate-line", "requester": "agent", "reason": "why"},
]
SERVICE = {
    "id": "{key}",
    "serviceSpecification": {"id": "parcel"},
    "serviceCharacteristic": [{"name": "a", "value": "b"}],
}
STAGE = {"name": "handed-over", "status": "Completed", "milestoneDate": "2031-03-01T11:00:00Z"}
CALLBACK: dict[str, Any] = {
    "eventId": "e",
    "eventTime": "2031-03-01T12:00:00Z",
    "eventType": "ServiceOrderMilestoneEvent",
    "correlationId": "{order}",
    "event": {
        "serviceOrder": {
            "id": "so-1",
            "externalId": "{key}",
            "state": "inProgress",
            "milestone": [STAGE],
            "errorMessage": [{"code": "none", "reason": "none"}],
            "serviceOrderItem": [{"id": "1", "action": "add", "service": SERVICE}],
        }
    },
}
SILO_EVENT = {
    "silo": "shipping",
    "kind": "acknowledged",
    "key": "{key}",
    "milestones": {"handed-over": ""},
    "reason": "",
}
PATCH: dict[str, Any] = {
    "description": "x",
    "note": [{"text": "y", "author": "z"}],
    "productOrderItem": [
        {"id": "net", "product": {"productCharacteristic": [{"name": "down_mbps", "value": 500}]}, "itemTerm": [{}]}
    ],
}
SOUND: dict[Door, list[Any]] = {
    "signal": SIGNALS,
    "update": SIGNALS,
    "care": CARED,
    "silo_events": [[SILO_EVENT], [SILO_EVENT, SILO_EVENT]],
    "turn": [{}],
    "callback": [CALLBACK],
    "patch": [PATCH],
}


@dataclass(frozen=True)
class Message:
    """Something that comes in."""

    door: Door
    content: bytes
    encoding: str
    copies: int


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A sound message with something broken in it and, now and then, in its bytes."""
    door = draw(st.sampled_from(tuple(SOUND)))
    content = json.dumps(draw(broken(SOUND[door]))).encode()
    if draw(st.integers(0, 7)) == 0:
        at, what = draw(st.integers(0, len(content))), draw(st.binary(max_size=3))
        content = content[:at] + what + content[at + draw(st.integers(0, 9)) :]
    encoding = draw(st.sampled_from(ENCODINGS)) if draw(st.integers(0, 9)) == 0 else ENCODINGS[0]
    return Message(door, content, encoding, draw(st.sampled_from((1, 1, 1, 1, 0, 2))))


async def wrongs(pipe: Pipe, sent: tuple[Message, ...]) -> list[str]:
    """What is wrong after messages came in to an order that waits for its parcel."""
    order_id = await under_way(pipe)
    found = [
        await send_bytes(pipe, order_id, each.door, each.content, encoding=each.encoding, copies=each.copies)
        for each in sent
    ]
    return [each for each in found if each] + await harmed(pipe, order_id)


def with_one_less(sent: tuple[Message, ...]) -> Iterator[tuple[Message, ...]]:
    """Halves, then all but one."""
    if len(sent) > 2:
        yield sent[: len(sent) // 2]
        yield sent[len(sent) // 2 :]
    for place in range(len(sent)):
        yield sent[:place] + sent[place + 1 :]


async def test_whatever_comes_in_an_order_goes_on_and_can_be_cancelled(pipe: Pipe) -> None:
    drawn: list[tuple[Message, ...]] = []

    @some(ORDERS)
    @given(st.lists(messages(), min_size=4, max_size=8).map(tuple))
    def draw(sent: tuple[Message, ...]) -> None:
        drawn.append(sent)

    draw()
    # Nobody comes to a visit: after that no order can be cancelled.
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    room = asyncio.Semaphore(AT_A_TIME)

    async def harm(sent: tuple[Message, ...]) -> bool:
        async with room:
            return bool(sent and await wrongs(pipe, sent))

    harmful = [sent for sent, found in zip(drawn, await asyncio.gather(*map(harm, drawn)), strict=True) if found]
    if harmful:
        least = await shrunk(harmful[0], with_one_less, harm, MOST_TRIES)
        pytest.fail(f"{len(harmful)} of {ORDERS} orders were harmed, one by {least}: {await wrongs(pipe, least)}")
