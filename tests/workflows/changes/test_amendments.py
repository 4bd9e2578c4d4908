"""One attribute of one item changes while the order is in flight: exactly the calls that follow from it, no more.

The parcel with the router is still awaited in each case, so the order is open while all else is in place.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until

SPEED = (
    {"id": "net", "characteristics": {"down_mbps": 800}},
    [
        "access-network.amend fibre-internet/activate-line/0/1",
        "billing.amend fibre-internet/start-billing/0/1",
    ],
)
TV_PACK = (
    {"id": "tv", "offering": "tv-sport"},
    [
        "tv.amend tv/activate-tv/0/1",
        "billing.amend tv/start-billing/0/1",
    ],
)
PHONE_NUMBER = (
    {"id": "voice", "characteristics": {"number": "+4930222222"}},
    [
        "number-inventory.provision voice-line/reserve-number/1/0",
        "voice.amend voice-line/activate-line/0/1",
        "number-inventory.compensate voice-line/reserve-number/0/1",
    ],
)


@pytest.mark.parametrize(("update", "expected"), [SPEED, TV_PACK, PHONE_NUMBER], ids=["speed", "pack", "number"])
async def test_an_amendment_makes_exactly_the_calls_that_follow_from_it(
    pipe: Pipe, update: dict[str, Any], expected: list[str]
) -> None:
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order = await pipe.submit(internet_voice_tv())
    await only_the_parcel_is_awaited(pipe, order)
    before = await pipe.journal(order)

    verdict = await pipe.change(order, requestId="amend-1", kind="amend", update=[update], expectedRevision=1)
    assert verdict["state"] == "accepted"
    await only_the_parcel_is_awaited(pipe, order, revision=2)
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order)).state == "completed"
    assert (await pipe.journal(order))[len(before) :] == expected


async def only_the_parcel_is_awaited(pipe: Pipe, order: str, revision: int = 1) -> None:
    """Wait until everything of a revision is in place but the parcel."""

    async def there() -> bool:
        if (await pipe.view(order)).revision != revision:
            return False
        tasks = await pipe.tasks(order)
        return {name for name, state in tasks.items() if state != "done"} == {"delivery/ship-parcel"}

    await until(there, "everything but the parcel to be in place")
