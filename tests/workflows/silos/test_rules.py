"""Rules of the catalog on the real server: what is refused is tried again later, and nobody hears of it before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until

TV = "tv/activate-tv"
MAINTENANCE = {"operation": "*", "code": "maintenance", "status": 423}


async def fallout(pipe: Pipe, order_id: str) -> list[dict[str, Any]]:
    """All that ever fell out of an order, as the register knows it."""
    states = "&".join(f"state={state}" for state in ("waiting", "underWay", "over"))
    address = f"{pipe.settings.api_address}/care/v1/fallout?order={order_id}&{states}"
    return (await pipe.http.get(address)).json()["fallout"]


async def test_a_silo_that_says_when_to_come_back_is_asked_again_then_and_nothing_falls_out(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/tv/faults", {"permanent": [{**MAINTENANCE, "retry_after_s": 1, "times": 2}]})
    order_id = await pipe.submit(internet_voice_tv(installation="self"))
    assert (await pipe.outcome(order_id)).state == "completed"
    journal = await pipe.sim("GET", f"/journal?order={order_id}")
    calls = [
        (entry["key"].rsplit("/", 1)[1], entry["outcome"])
        for entry in journal
        if entry["silo"] == "tv" and entry["verb"] == "provision"
    ]
    assert list(dict.fromkeys(calls)) == [("0", "refused"), ("1", "refused"), ("2", "applied")]
    assert await pipe.applied_twice(order_id) == []
    assert await fallout(pipe, order_id) == []


@pytest.mark.parametrize("kind", ["amend", "cancel", "retry"])
async def test_what_arrives_while_a_rule_waits_is_decided_and_carried_out_at_once(pipe: Pipe, kind: str) -> None:
    await pipe.sim("PUT", "/tv/faults", {"permanent": [{**MAINTENANCE, "retry_after_s": 86_400}]})
    order_id = await pipe.submit(internet_voice_tv(installation="self", equipment="own"))
    await pipe.until_task(order_id, TV, "triedAgain")

    async def waits_for_it() -> bool:
        waits_for = (await pipe.view(order_id)).answer.waits_for
        return waits_for is not None and waits_for.kind == "try"

    await until(waits_for_it, "nothing else to be waited for")
    view = await pipe.view(order_id)
    assert (view.state, view.fallout) == ("inProgress", ())
    await pipe.sim("DELETE", "/tv/faults")
    body: dict[str, Any] = {
        "amend": {"update": [{"id": "tv", "offering": "tv-sport"}]},
        "cancel": {},
        "retry": {"silo": "tv"},
    }[kind]
    assert (await pipe.change(order_id, kind=kind, **body))["state"] == "accepted"
    assert (await pipe.outcome(order_id)).state == ("cancelled" if kind == "cancel" else "completed")
    assert await fallout(pipe, order_id) == []
