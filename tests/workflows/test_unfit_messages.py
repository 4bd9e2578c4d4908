"""The same unfit content through every door to an order in flight: it is refused, and the order is as it was."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue

from orders.model import wire_names
from orders.read_model.views import PlanPage
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until

VISIT = "installation/visit-site"
HOME = {"site": "home", "start": "2031-03-03T08:00:00+01:00", "time_zone": "Europe/Berlin"}


def at(start: str, zone: str = "Europe/Berlin", **more: Any) -> dict[str, Any]:
    """A change that makes an appointment."""
    return {"kind": "reschedule", "appointments": [{**HOME, "start": start, "time_zone": zone, **more}]}


def amended(**characteristics: Any) -> dict[str, Any]:
    """A change of an item's characteristics."""
    return {"kind": "amend", "update": [{"id": "net", "characteristics": characteristics}]}


def nested(levels: int) -> Any:
    """Lists in lists."""
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


UNFIT: dict[str, dict[str, Any]] = {
    "a date without a zone": {"kind": "reschedule", "requested_completion": "2031-03-14T16:00:00"},
    "a date without a time": {"kind": "reschedule", "requested_start": "2031-03-14"},
    "the end of the calendar": {"kind": "reschedule", "requested_start": "9999-12-31T23:00:00-12:00"},
    "the begin of the calendar": {"kind": "reschedule", "requested_start": "0001-01-01T00:00:00+14:00"},
    "the last hour of 1999": {"kind": "reschedule", "requested_start": "2000-01-01T00:00:00+14:00"},
    "the year 2200": {"kind": "reschedule", "requested_completion": "2199-12-31T23:00:00-01:00"},
    "the hour 24 of a day that there is not": {"kind": "reschedule", "requested_start": "2031-02-29T24:00:00Z"},
    "a number for a date": {"kind": "reschedule", "requested_start": 2_000_000_000},
    "a number in quotes for a date": {"kind": "reschedule", "requested_start": "2000000000"},
    "a day of long ago": {"kind": "reschedule", "requested_completion": "2020-03-03T08:00:00Z"},
    "a start after the completion": {
        "kind": "reschedule",
        "requested_start": "2031-03-04T00:00:00Z",
        "requested_completion": "2031-03-03T00:00:00Z",
    },
    "an appointment far away": at("9999-12-31T23:30:00Z"),
    "an appointment in 3031": at("3031-03-03T08:00:00+01:00"),
    "an appointment that is over": at("2020-03-03T08:00:00+01:00"),
    "a zone that there is not": at("2031-03-03T08:00:00+01:00", "Europe/Atlantis"),
    "a part of a zone's name": at("2031-03-03T08:00:00+01:00", "Europe"),
    "the offset of winter in summer": at("2031-07-03T08:00:00+01:00"),
    "an hour that the clock leaps over": at("2031-03-30T02:30:00+01:00"),
    "an end that is over before the start": at("2031-03-03T08:00:00+01:00", end="2031-03-03T07:00:00+01:00"),
    "an end at another offset": at("2031-03-03T08:00:00+01:00", end="2031-03-03T09:00:00+00:30"),
    "a NUL in a value": amended(note="a\0b"),
    "a NUL in a name": amended(**{"a\0b": "x"}),
    "an integer of 400 digits": amended(bandwidth=10**399),
    "nesting of 120 levels": amended(note=nested(120)),
    "true for a number": {"kind": "changePriority", "priority": True},
    "an escape in the reason": {"kind": "hold", "reason": "\x1b[31mred"},
    "a NUL in the reason": {"kind": "hold", "reason": "a\0b"},
    "a line break in who asks": {"kind": "hold", "requester": "a\nb"},
    "a line break in an item": {"kind": "cancelItems", "items": ["net\n"]},
    "a revision of 40 digits": {"kind": "hold", "expected_revision": 10**39},
    "a fee of 40 digits": {"kind": "cancel", "accept_fee": {"amount": "1" * 40, "currency": "EUR"}},
    "a fee of no size": {"kind": "cancel", "accept_fee": {"amount": "NaN", "currency": "EUR"}},
}


def camel(change: Any) -> Any:
    """The change as the care API has it: other names of fields, the same content."""
    names = {"requested_start": "requestedStartDate", "requested_completion": "requestedCompletionDate"}
    other = {"time_zone": "timeZone", "expected_revision": "expectedRevision", "accept_fee": "acceptFee"} | names
    if isinstance(change, dict):
        return {other.get(name, name): camel(value) for name, value in change.items()}
    return [camel(value) for value in change] if isinstance(change, list) else change


async def waiting_order(pipe: Pipe) -> str:
    """An order whose technician is awaited."""
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order, VISIT, "awaiting")
    return order


async def require_untouched_and_cancellable(pipe: Pipe, order: str) -> None:
    """The order is as it was captured, and a cancellation is carried out."""
    assert (await pipe.view(order)).revision == 1
    assert (await pipe.tasks(order))[VISIT] == "awaiting"
    await pipe.sim("DELETE", "/*/pace")
    verdict = await pipe.change(order, requestId="the-end", kind="cancel")
    assert verdict["state"] in ("accepted", "applied", "assessing"), verdict
    assert (await pipe.outcome(order)).state == "cancelled"


async def test_what_does_not_fit_is_refused_at_every_door_and_the_order_stays_as_it_was(pipe: Pipe) -> None:
    order = await waiting_order(pipe)
    for number, (what, change) in enumerate(UNFIT.items()):
        await pipe.handle(order).signal(wire_names.CHANGE_SIGNAL, {"request_id": f"signal-{number}", **change})
        with_id = {"request_id": f"update-{number}", **change}
        try:
            verdict = await pipe.handle(order).execute_update(wire_names.CHANGE_UPDATE, with_id)
            assert verdict["state"] == "rejected", what
        except WorkflowUpdateFailedError:
            pass  # Refused before it came to the order.
        address = f"{pipe.settings.api_address}/care/v1/orders/{order}/changes"
        answer = await pipe.http.post(address, json={"requestId": f"care-{number}", **camel(change)})
        assert answer.status_code == 400 or answer.json()["state"] == "rejected", (what, answer.text)

    async def all_decided() -> bool:
        verdicts = (await pipe.view(order)).changes
        return sum(one.request_id.startswith(("signal-", "malformed-")) for one in verdicts) == len(UNFIT)

    await until(all_decided, "a verdict on each signal")
    changes = (await pipe.view(order)).changes
    assert {one.state for one in changes} == {"rejected"}
    said = [reason.message for one in changes for reason in one.reasons]
    assert all(0 < len(message) <= 500 and "pydantic" not in message and "\0" not in message for message in said)
    await require_untouched_and_cancellable(pipe, order)


BAD_JSON = [
    b'{"note": NaN}',
    b'{"note": 1e999}',
    b'{"note": "a\\u0000b"}',
    b'{"note": "\\ud800"}',
    b'{"note": ' + b"9" * 400 + b"}",
    b'{"note": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"requestedStartDate": "2031-03-14T16:00:00"}',
    b'{"requestedStartDate": "2000-01-01T00:00:00+14:00"}',
    b'{"priority": true}',
    b'{"description": "a\\u001bb"}',
]


@pytest.mark.parametrize("content", BAD_JSON, ids=lambda content: content[:40].decode())
async def test_a_patch_or_a_cancellation_that_does_not_fit_is_malformed(pipe: Pipe, content: bytes) -> None:
    order = await waiting_order(pipe)
    patch = {"content-type": "application/merge-patch+json"}
    answer = await pipe.http.patch(pipe.api(f"/productOrder/{order}"), content=content, headers=patch)
    assert answer.status_code == 400, answer.text
    if b"note" in content:
        named = b'{"productOrder": {"id": "%s"}, ' % order.encode() + content[1:]
        cancel = pipe.api("/cancelProductOrder")
        answer = await pipe.http.post(cancel, content=named, headers={"content-type": "application/json"})
        assert answer.status_code == 400, answer.text
    assert (await pipe.view(order)).changes == ()


async def test_no_message_whatever_its_arguments_stops_an_order(pipe: Pipe) -> None:
    order = await waiting_order(pipe)
    handle = pipe.handle(order)
    broken = RawValue(Payload(metadata={"encoding": b"binary/zlib"}, data=b"no zlib"))
    half = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'{"request_id": "\\ud800"}'))
    for name in (wire_names.CHANGE_SIGNAL, wire_names.SILO_EVENTS_SIGNAL, wire_names.TURN_SIGNAL):
        for arguments in ([], [1, 2], [broken], [half], [None]):
            await handle.signal(name, args=arguments)
    for arguments in ([], [1, 2], [broken], [half], [None]):
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(wire_names.CHANGE_UPDATE, args=arguments)
    key = next(one["id"] for one in (await pipe.services(order))["field-service"])
    for odd in (
        {"outputs": {"a": "\0"}},
        {"milestones": {"visited": "yesterday"}},
        {"code": "\x1b"},
        {"kind": "exploded"},
    ):
        event = {"silo": "field-service", "kind": "done", "key": f"{key}/0", **odd}
        await handle.signal(wire_names.SILO_EVENTS_SIGNAL, [event])
    page = await pipe.ask(order, wire_names.PLAN_QUERY, PlanPage, 10**9, 10**9)
    assert page.tasks == ()

    async def all_decided() -> bool:
        return len((await pipe.view(order)).changes) == 5

    await until(all_decided, "a verdict on each change")
    await require_untouched_and_cancellable(pipe, order)


async def test_odd_ids_and_offsets_in_addresses_find_nothing_and_break_nothing(pipe: Pipe) -> None:
    care = f"{pipe.settings.api_address}/care/v1"
    for path, status in (
        ("/customers/x%22", 404),
        ("/customers/x%27%20OR%201=1", 404),
        ("/customers/%00", 400),
        ("/orders/x%22", 404),
        (f"/orders/x/history?offset={10**30}", 400),
        (f"/orders/x/tasks?offset={10**30}", 400),
        ("/orders?customer=x%22", 200),
    ):
        answer = await pipe.http.get(f"{care}{path}")
        assert answer.status_code == status, (path, answer.text)
