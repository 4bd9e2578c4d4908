"""What the tests of `make fuzz` share: a seed that is another one each time, things that do not belong, and an end.

The seed is told at the beginning. `FUZZ_SEED` gives one, so that what failed is seen again.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st

from orders.read_model.states import LifecycleState
from tests.running.pipe import Pipe
from tests.soak.counting import failed_tasks

SEED: Final = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(10**9))
os.environ["FUZZ_SEED"] = str(SEED)  # The processes that share the tests take the one that is told.

_ENDS_WITHIN_S = 40
_Test = TypeVar("_Test", bound=Callable[..., None])


def some(examples: int) -> Callable[[_Test], _Test]:
    """So many examples, the same ones for the same seed."""
    chosen = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list[HealthCheck](HealthCheck),  # pyright: ignore[reportArgumentType]
    )
    return lambda test: seed(SEED)(chosen(test))


JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**31, 2**63, 10**400, 1e308, "", " ", "\0", "\ud800", "x" * 300, "ü", "a/b", "${x}"),
    *("2031-13-01T00:00:00Z", "2031-01-01", "9999-12-31T23:59:59-14:00", "add", "cancelled", "../..", "%00"),
    *([], {}, [None], [[]], {"": ""}, {"id": None}, [{"id": "net"}], json.loads("[" * 90 + "]" * 90)),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is anything in a body."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in entries:
        yield (*path, name)
        yield from places(inner, (*path, name))


@st.composite
def broken(draw: st.DrawFn, bodies: list[Any]) -> Any:
    """A body with up to three things in it missing, added or replaced."""
    body = deepcopy(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(body))
        if not found:
            break
        *way, last = draw(st.sampled_from(found))
        holder: Any = body
        for name in way:
            holder = holder[name]
        match draw(st.sampled_from(["replace", "replace", "remove", "add"])):
            case "remove":
                del holder[last]
            case "add" if isinstance(holder, dict):
                name = draw(st.sampled_from(["id", "state", "product", "unknown", "@type"]))
                holder[name] = deepcopy(draw(st.sampled_from(JUNK)))
            case _:
                holder[last] = deepcopy(draw(st.sampled_from(JUNK)))
    return body


async def harmed(pipe: Pipe, order_id: str) -> list[str]:
    """What is wrong with an order after all that it was sent: its workflow failed, or it cannot be cancelled.

    One that is past its point of no return is let go instead, and has to end.
    """
    address = f"{pipe.settings.api_address}/care/v1/orders/{order_id}/changes"
    preview = await pipe.http.post(f"{address}?dryRun=true", json={"kind": "cancel"})
    fees = preview.json().get("fees", []) if preview.status_code == 200 else []
    asked = {"kind": "cancel", "requestId": "at-last", **({"acceptFee": fees[0]} if len(fees) == 1 else {})}
    answer = await pipe.http.post(address, json=asked)
    found = await failed_tasks(pipe.client, order_id)
    too_late = "past_no_return" in answer.text
    if too_late:
        await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
        await pipe.sim("POST", "/*/complete", {"match": order_id, "outcome": "completed"})
        # It may have been put on hold by what it was sent.
        await pipe.http.post(address, json={"kind": "release", "requestId": "go-on"})
    if answer.status_code not in (200, 202, 409):
        found.append(f"a cancellation is answered with {answer.status_code} {answer.text}")
    try:
        ended = await asyncio.wait_for(pipe.outcome(order_id), _ENDS_WITHIN_S)
    except TimeoutError:
        return [*found, *await failed_tasks(pipe.client, order_id), await _what_hinders(pipe, order_id, answer.text)]
    if answer.status_code != 409 and not too_late and ended.state is not LifecycleState.CANCELLED:
        found.append(f"was cancelled, and is {ended.state}: {answer.text}")
    return found + await failed_tasks(pipe.client, order_id)


async def _what_hinders(pipe: Pipe, order_id: str, answer: str) -> str:
    described = await pipe.client.workflow_service.describe_workflow_execution(pipe.describe(order_id))
    tried = [f"{each.activity_id}: {each.last_failure.message[:300]}" for each in described.pending_activities]
    return f"does not end; its cancellation: {answer[:300]}; tried again and again: {tried}"
