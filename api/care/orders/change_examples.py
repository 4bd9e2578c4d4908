"""A change of each kind, as the API's documentation offers it: each can be sent as it stands.

They are about the example order of a triple play, but for that of `cancelItems`: a bundle is cancelled as a whole. To
retry and to resolve, something of it has to be refused first.
"""

from __future__ import annotations

from typing import Final

from fastapi.openapi.models import Example

from orders.change.request import ChangeKind

ORDER: Final = "web-51210a3f6660"
"""The id that `examples/orders/triple-play.json` gets."""

PARCEL: Final = {"amount": "9.90", "currency": "EUR"}
"""What it costs to have the parcel back, or another one, once it is on its way."""

CHANGES: Final[dict[str, Example]] = {
    ChangeKind.AMEND: {
        "summary": "Another TV pack",
        "value": {"kind": "amend", "update": [{"id": "1.tv", "offering": "tv-cinema"}]},
    },
    ChangeKind.RESCHEDULE: {
        "summary": "Another appointment",
        "value": {
            "kind": "reschedule",
            "appointments": [
                {
                    "site": "site-lindenweg-7",
                    "start": "2031-03-03T08:00:00+01:00",
                    "end": "2031-03-03T12:00:00+01:00",
                    "timeZone": "Europe/Berlin",
                }
            ],
            "requester": "agent-7",
        },
    },
    ChangeKind.CHANGE_PRIORITY: {
        "summary": "Before all others",
        "value": {"kind": "changePriority", "priority": 0, "reason": "no telephone since Monday"},
    },
    ChangeKind.CHANGE_PROMISE: {
        "summary": "Promised for another date",
        "value": {
            "kind": "changePromise",
            "promisedAt": "2031-03-14T17:00:00+01:00",
            "reason": "agreed with the customer on the telephone",
            "requester": "agent-7",
        },
    },
    ChangeKind.CANCEL_ITEMS: {
        "summary": "No voice line after all, of the order voice-on-fibre",
        "value": {"kind": "cancelItems", "items": ["2"], "reason": "telephones elsewhere"},
    },
    ChangeKind.CANCEL: {
        "summary": "Nothing of it is wanted any more, though its parcel is on its way",
        "value": {"kind": "cancel", "reason": "moved away", "requester": "agent-7", "acceptFee": PARCEL},
    },
    ChangeKind.REPLACE: {
        "summary": "Another router, where its parcel is on its way",
        "value": {
            "kind": "replace",
            "task": f"{ORDER}.1.internet.1/fibre-internet/allocate-router",
            "reason": "it arrived broken",
            "acceptFee": PARCEL,
        },
    },
    ChangeKind.HOLD: {
        "summary": "Begin nothing new",
        "value": {"kind": "hold", "reason": "the customer is to be called first"},
    },
    ChangeKind.RELEASE: {"summary": "Go on", "value": {"kind": "release"}},
    ChangeKind.RETRY: {
        "summary": "Try again what was refused",
        "value": {"kind": "retry", "task": f"{ORDER}.1.tv.1/tv/activate-tv"},
    },
    ChangeKind.RESOLVE: {
        "summary": "It was done by hand",
        "value": {
            "kind": "resolve",
            "task": f"{ORDER}.1.tv.1/tv/activate-tv",
            "resolution": "done",
            "outputs": {"tv_id": "tv-4711"},
            "requester": "agent-7",
            "reason": "switched on by the TV platform's own staff",
        },
    },
}
"""By kind, in OpenAPI's form."""
