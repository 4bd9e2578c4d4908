"""Hostile messages by name: what anyone may send to an order in flight, and none of which may harm it.

They are bytes, for what matters most cannot be said in JSON that a library writes. In them `{id}` stands for a request
id of its own, `{order}` for the order, and `{key}` for the key of a call that a silo is at work on. None is a lie: a
silo that says that it is done with what it has not done has to be believed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from tests.soak.script import Door, Hostile

JSON: Final = "json/plain"

_FIRST, _LAST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
_LONG = "x" * 100_000
_SURROGATE = "\ud800"
_DEEP = "[" * 5_000 + "]" * 5_000
_HUGE = "9" * 5_000


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()


def _change(kind: Any, **fields: Any) -> bytes:
    return _text({"request_id": "{id}", "kind": kind, **fields})


def _dates(**fields: Any) -> bytes:
    return _change("reschedule", **fields)


def _promise(at: Any, reason: str = "why") -> bytes:
    return _change("changePromise", promised_at=at, requester="agent", reason=reason)


def _appointment(start: str, zone: str = "UTC", **more: Any) -> bytes:
    return _dates(appointments=[{"site": "site-1", "start": start, "time_zone": zone, **more}])


def _reason(text: str) -> bytes:
    return _change("changePriority", priority=1, reason=text)


def _set(value: Any, item: str = "net", name: str = "down_mbps") -> bytes:
    return _change("amend", update=[{"id": item, "characteristics": {name: value}}])


CHANGES: Final[Mapping[str, bytes]] = {
    "a promise without zone": _promise("2031-03-14T16:00:00"),
    "a promise in the past": _promise("2020-03-14T16:00:00Z"),
    "a promise in the year 9999": _promise("9999-12-31T23:00:00Z"),
    "a promise that is a number": _promise(10**18),
    "a promise without a reason": _promise("2031-03-14T16:00:00Z", reason=""),
    "a completion without zone": _dates(requested_completion="2031-03-14T16:00:00"),
    "a start without zone": _dates(requested_start="2031-03-14T16:00:00"),
    "a start without time": _dates(requested_start="2031-03-14"),
    "a start in the year 9999": _dates(requested_start="9999-12-31T23:00:00Z"),
    "a start after the last instant": _dates(requested_start=_LAST),
    "a start before the first instant": _dates(requested_start=_FIRST),
    "a completion after the last instant": _dates(requested_completion=_LAST),
    "a completion before the first instant": _dates(requested_completion=_FIRST),
    "a start that is a number": _dates(requested_start=10**18),
    "an appointment in the year 9999": _appointment("9999-12-31T23:30:00Z"),
    "an appointment in the year 3031": _appointment("3031-03-03T08:00:00Z"),
    "an appointment in the past": _appointment("2020-03-03T08:00:00Z"),
    "an appointment without zone": _appointment("2031-03-03T08:00:00"),
    "an appointment in a zone that is none": _appointment("2031-03-03T08:00:00+01:00", "Europe/Atlantis"),
    "an appointment in a zone that is a path": _appointment("2031-03-03T08:00:00+01:00", "../../etc/passwd"),
    "an appointment at an hour that is none": _appointment("2031-03-30T02:30:00+01:00", "Europe/Berlin"),
    "an appointment that ends far away": _appointment("2031-03-03T08:00:00Z", end="9999-12-31T23:59:59Z"),
    "a reason with NUL": _reason("a\0b"),
    "a reason with a surrogate": _reason(_SURROGATE),
    "a reason with terminal escapes": _reason("\x1b]0;x\x07\x1b[31m[link=https://example.invalid]\r\n"),
    "a reason of 100 kB": _reason(_LONG),
    "a requester with NUL": _change("changePriority", priority=1, requester="\0"),
    "a requester of 100 kB": _change("changePriority", priority=1, requester=_LONG),
    "a request id with NUL": _text({"request_id": "{id}\0", "kind": "changePriority", "priority": 1}),
    "a request id with a surrogate": _text({"request_id": "{id}\udfff", "kind": "changePriority", "priority": 1}),
    "a request id of 100 kB": _text({"request_id": _LONG, "kind": "changePriority", "priority": 1}),
    "no request id": _text({"kind": "changePriority", "priority": 1}),
    "a priority that is not a number": b'{"request_id": "{id}", "kind": "changePriority", "priority": NaN}',
    "a priority without end": b'{"request_id": "{id}", "kind": "changePriority", "priority": Infinity}',
    "a priority of many digits": b'{"request_id": "{id}", "kind": "changePriority", "priority": %s}' % _HUGE.encode(),
    "a rate that is not a number": _set(float("nan")),
    "a rate without end": _set(float("-inf")),
    "a rate of many digits": _set(10**400),
    "a rate of more digits than Python reads": _set("HUGE").replace(b'"HUGE"', _HUGE.encode()),
    "a rate that is a list": _set([[]]),
    "a rate nested deeply": _set("DEEP").replace(b'"DEEP"', _DEEP.encode()),
    "a number with NUL": _set("+49\0", "voice0", "number"),
    "a number with a surrogate": _set(_SURROGATE, "voice0", "number"),
    "a number of 100 kB": _set(_LONG, "voice0", "number"),
    "a characteristic with NUL in its name": _set(1, "net", "down\0mbps"),
    "an item with NUL in its id": _set(1, "\0"),
    "a quantity of many digits": _change("amend", update=[{"id": "net", "quantity": 10**400}]),
    "a site with NUL in its id": _change("amend", update=[{"id": "net", "site": {"id": "\0", "place": {}}}]),
    "a site with a surrogate": _change(
        "amend", update=[{"id": "net", "site": {"id": "s", "place": {"x": _SURROGATE}}}]
    ),
    "an offering with a surrogate": _change("amend", update=[{"id": "net", "offering": _SURROGATE}]),
    "a document that nobody keeps": _change("amend", document="0" * 64),
    "a document of no digest": _change("amend", document="x" * 700_000),
    "a document itself": _change("amend", document={"productOrderItem": 7, "id": [], "state": {}}),
    "attributes without end": _change("amend", document="0" * 64, attributes={"": ["x"] * 10_000}),
    "an attribute with a surrogate": _change("amend", document="0" * 64, attributes={"": [_SURROGATE]}),
    "attributes nested deeply": _change("amend", attributes={"x": "DEEP"}).replace(b'"DEEP"', _DEEP.encode()),
    "ten thousand items to cancel": _change("cancelItems", items=[f"i{number}" for number in range(10_000)]),
    "items to cancel that are no texts": _change("cancelItems", items=[None, 7, {}]),
    "a kind that is none": _change("explode"),
    "a kind that is a number": _change(7),
    "a kind with a surrogate": _change(_SURROGATE),
    "fields that nobody knows": _change("changePriority", priority=1, colour="red", __class__="x"),
    "a list": _text([{"request_id": "{id}", "kind": "changePriority", "priority": 1}]),
    "null": b"null",
    "a number": b"7",
    "a text": b'"hold"',
    "a revision of many digits": _change("changePriority", priority=1, expected_revision=10**400),
    "a fee that is not a number": _change(
        "changePriority", priority=1, accept_fee={"amount": "NaN", "currency": "EUR"}
    ),
    "a fee without end": _change("changePriority", priority=1, accept_fee={"amount": "1e999999", "currency": "EUR"}),
    "a digest with NUL": _change("changePriority", priority=1, digest="\0"),
    "a task with NUL": _change("retry", task="\0"),
    "a task with a surrogate": _change("retry", task=f"{{order}}.net.1/{_SURROGATE}/x"),
    "a task to replace that is none": _change("replace", task="/" * 1000),
    "outputs with a surrogate": _change(
        "resolve", task="x", resolution="done", requester="r", outputs={"a": _SURROGATE}
    ),
    "an instant of arrival that is none": _change("changePriority", priority=1, asked_at="yesterday"),
    "JSON cut short": b'{"request_id": "{id}", "kind": "chan',
    "no UTF-8": b'{"request_id": "{id}", "kind": "changePriority", "priority": 1, "reason": "\xff\xfe"}',
    "no bytes": b"",
}
"""Changes that no door should take as they are, in the form of a signal."""


def _silo_event(silo: Any = "shipping", kind: Any = "acknowledged", key: Any = "{key}", **fields: Any) -> bytes:
    return _text([{"silo": silo, "kind": kind, "key": key, **fields}])


SILO_EVENTS: Final[Mapping[str, bytes]] = {
    "a stage at the end of time": _silo_event(milestones={"handed-over": _LAST}),
    "a stage without zone": _silo_event(milestones={"handed-over": "2031-01-01T00:00:00"}),
    "a stage at no time": _silo_event(milestones={"handed-over": "yesterday"}),
    "a stage with NUL": _silo_event(milestones={"\0": "2031-01-01T00:00:00Z"}),
    "a stage with a surrogate": _silo_event(milestones={_SURROGATE: "2031-01-01T00:00:00Z"}),
    "a stage of 100 kB": _silo_event(milestones={_LONG: _LONG}),
    "ten thousand stages": _silo_event(milestones={f"stage-{number}": "" for number in range(10_000)}),
    "stages that are a list": _silo_event(milestones=[7]),
    "outputs of what is not done": _silo_event(outputs={"tracking_id": _SURROGATE, "x": "\0"}),
    "a kind that is none": _silo_event(kind="exploded"),
    "a key that is none": _silo_event(kind="done", key="x"),
    "a key of many digits": _silo_event(kind="done", key=f"{{order}}.net.1/x/y/{_HUGE}/0"),
    "a key with digits of another script": _silo_event(kind="done", key="{order}.net.1/x/y/\u0661/\u0662"),
    "a key with NUL": _silo_event(kind="done", key="\0/x/y/0/0"),
    "a key with a surrogate": _silo_event(kind="done", key=f"{_SURROGATE}/x/y/0/0"),
    "a key that is a number": _silo_event(kind="done", key=7),
    "another silo's key": _silo_event(silo="billing", kind="done"),
    "a silo that is none": _silo_event(silo="\0", kind="done"),
    "a loss of what is not held": _silo_event(kind="lost", key="", service="{order}.net.1/fibre-internet/x/999999"),
    "a loss below nothing": _silo_event(kind="lost", key="", service="{order}.net.1/fibre-internet/reserve-port/-1"),
    "none at all": b"[]",
    "no list": _text({"silo": "shipping", "kind": "acknowledged", "key": "{key}"}),
    "lists and numbers in a list": b"[[], 7, null]",
    "ten thousand": _text([{"silo": "shipping", "kind": "acknowledged", "key": "{key}"}] * 10_000),
    "null": b"null",
    "JSON cut short": b'[{"silo": "shipp',
    "no bytes": b"",
}
"""Signals `silo_events`."""


def _event(of: Any = None, event_type: str = "ServiceOrderStateChangeEvent", **service_order: Any) -> bytes:
    service = {"id": "{key}", "serviceSpecification": {"id": "parcel"}, "serviceCharacteristic": []}
    items = [{"id": "1", "action": "add", "service": service}]
    told = {"id": "so-1", "externalId": "{key}", "state": "inProgress", "serviceOrderItem": items, **service_order}
    subject = {"serviceOrder": told} if of is None else of
    return _text({"eventId": "e", "eventType": event_type, "correlationId": "{order}", "event": subject})


def _stage(date: Any, name: Any = "handed-over", status: Any = "Completed") -> bytes:
    return _event(milestone=[{"name": name, "status": status, "milestoneDate": date}])


CALLBACKS: Final[Mapping[str, bytes]] = {
    "a stage before the first instant": _stage(_FIRST),
    "a stage after the last instant": _stage(_LAST),
    "a stage at .NET's last instant": _stage("9999-12-31T23:59:59.9999999-05:00"),
    "a stage at a number": _stage(10**18),
    "a stage with NUL": _stage("2031-01-01T00:00:00Z", name="\0"),
    "a stage with a surrogate": _stage("2031-01-01T00:00:00Z", name=_SURROGATE),
    "a stage of 100 kB": _stage("2031-01-01T00:00:00Z", name=_LONG),
    "ten thousand stages": _event(milestone=[{"name": f"stage-{number}"} for number in range(10_000)]),
    "a failure with a surrogate of another call": _event(
        externalId="{order}.net.1/x/y/0/0", state="failed", errorMessage=[{"code": _SURROGATE, "reason": "\0"}]
    ),
    "an end of another call with a surrogate": _event(
        externalId="{order}.net.1/x/y/0/0",
        state="completed",
        serviceOrderItem=[
            {"action": "add", "service": {"serviceCharacteristic": [{"name": "x", "value": _SURROGATE}]}}
        ],
    ),
    "an end of another call that is not a number": _event(
        externalId="{order}.net.1/x/y/0/0",
        state="completed",
        serviceOrderItem=[
            {"action": "add", "service": {"serviceCharacteristic": [{"name": "x", "value": float("nan")}]}}
        ],
    ),
    "a key of many digits": _event(externalId=f"{{order}}.net.1/x/y/{_HUGE}/0", state="completed"),
    "a key with NUL": _event(externalId="\0/x/y/0/0", state="completed"),
    "a key with a surrogate": _event(externalId=f"{_SURROGATE}/x/y/0/0", state="completed"),
    "a state that is none": _event(state="exploded"),
    "no items": _event(serviceOrderItem=[]),
    "items nested deeply": _event(serviceOrderItem="DEEP").replace(b'"DEEP"', _DEEP.encode()),
    "a loss with NUL": _event({"service": {"id": "\0/0", "state": "terminated"}}, "ServiceStateChangeEvent"),
    "a loss of many digits": _event(
        {"service": {"id": f"{{order}}.net.1/x/y/{_HUGE}", "state": "terminated"}}, "ServiceStateChangeEvent"
    ),
    "an order with NUL": _event().replace(b"{order}", b"\\u0000"),
    "an order with a surrogate": _event().replace(b'"correlationId": "{order}"', b'"correlationId": "\\ud800"'),
    "an order that is a query": _event().replace(b"{order}", b'x\\" OR WorkflowId STARTS_WITH \\"order'),
    "nothing that it is about": _event({}),
    "a list": b"[]",
    "JSON cut short": b'{"eventId": "e',
    "no bytes": b"",
}
"""Events that a silo posts under its own token."""

_SCAN = base64.b64encode(bytes(range(256)) * 2048)  # 0.7 MB.

PATCHES: Final[Mapping[str, bytes]] = {
    **{f"scan {number} of 0.7 MB": b'{"hostile-scan-%d": "%s"}' % (number, _SCAN) for number in range(6)},
    "a note with NUL": _text({"note": [{"text": "a\0b"}]}),
    "a note with a surrogate": _text({"note": [{"text": _SURROGATE}]}),
    "a note that is no list": _text({"note": {"text": "x"}}),
    "an attribute nested deeply": b'{"hostile-x": %s}' % _DEEP.encode(),
    "an attribute of many digits": b'{"hostile-x": %s}' % _HUGE.encode(),
    "an attribute that is not a number": b'{"hostile-x": NaN}',
    "a start in the year 9999": _text({"requestedStartDate": "9999-12-31T23:00:00Z"}),
    "a completion without zone": _text({"requestedCompletionDate": "2031-03-14T16:00:00"}),
    "items that are none": _text({"productOrderItem": [None, 7, []]}),
    "ten thousand items": _text({"productOrderItem": [{"id": f"i{number}"} for number in range(10_000)]}),
    "a list": b"[]",
    "JSON cut short": b'{"note": ',
    "no bytes": b"",
}
"""Merge patches of TMF622."""

ENCODINGS: Final = (JSON, "binary/plain", "binary/null", "json/protobuf", "x/unknown", "")
"""What a payload of Temporal may claim to be."""

DOORS: Final[Mapping[Door, Mapping[str, bytes]]] = {
    "signal": CHANGES,
    "update": CHANGES,
    "care": CHANGES,
    "silo_events": SILO_EVENTS,
    "turn": {"a text": b'"now"', "JSON cut short": b'{"', "no bytes": b"", "100 kB": _text(_LONG)},
    "callback": CALLBACKS,
    "patch": PATCHES,
}

_WEIGHTS: Mapping[Door, int] = {
    "signal": 6,
    "update": 3,
    "care": 3,
    "silo_events": 3,
    "turn": 1,
    "callback": 3,
    "patch": 3,
}
_TO_TEMPORAL = ("signal", "update", "silo_events", "turn")
_IN_THE_CARE_API = (
    (b'"request_id"', b'"requestId"'),
    (b'"requested_start"', b'"requestedStartDate"'),
    (b'"requested_completion"', b'"requestedCompletionDate"'),
    (b'"time_zone"', b'"timeZone"'),
    (b'"accept_fee"', b'"acceptFee"'),
    (b'"expected_revision"', b'"expectedRevision"'),
    (b'"site": {"id"', b'"place": {"id"'),
)


def random_hostile(choose: Random, last: int) -> list[Hostile]:
    """Some hostile messages, at moments up to the last. Scans come several in a row: what adds up is the harm."""
    found: list[Hostile] = []
    for _ in range(choose.randint(2, 6)):
        [door] = choose.choices(tuple(_WEIGHTS), weights=tuple(_WEIGHTS.values()))
        message = choose.choice(tuple(DOORS[door]))
        after = choose.randint(0, last)
        odd = door in _TO_TEMPORAL and choose.random() < 0.15
        encoding = choose.choice(ENCODINGS) if odd else JSON
        copies = choose.choice((0, 1, 1, 1, 2)) if door in _TO_TEMPORAL else 1
        found.append(Hostile(after=after, door=door, message=message, encoding=encoding, copies=copies))
    if choose.random() < 0.15:
        after = choose.randint(0, last)
        scans = [name for name in PATCHES if name.startswith("scan")]
        found += [Hostile(after=after, door="patch", message=scan) for scan in scans]
    return found


def content(step: Hostile) -> bytes:
    """The bytes of a hostile message, with its placeholders."""
    told = DOORS[step.door][step.message]
    if step.door == "care":
        for signal, care in _IN_THE_CARE_API:
            told = told.replace(signal, care)
    return told
