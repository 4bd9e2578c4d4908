"""From a form to the change that it asks for: what was left as it is asks for nothing, and what cannot be is said."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from api.console.asking import change_in
from api.errors import Malformed

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ({"kind": "cancel", "item": "1"}, {"kind": "cancel"}),
        ({"kind": "retry", "silo": "tv", "task": ""}, {"kind": "retry", "silo": "tv"}),
        ({"kind": "cancelItems", "item": "1"}, {"kind": "cancelItems", "items": ["1"], "cascade": True}),
        ({"kind": "changePriority", "priority": "0"}, {"kind": "changePriority", "priority": 0}),
        (
            {"kind": "amend", "item": "1", "offering": "b", "was.offering": "a", "quantity": "2", "was.quantity": "2"},
            {"kind": "amend", "update": [{"id": "1", "offering": "b"}]},
        ),
        (
            {
                "kind": "amend",
                "item": "1",
                "characteristic.pack": '"sport"',
                "was.characteristic.pack": '"basic"',
                "characteristic.mesh": "true",
                "was.characteristic.mesh": "false",
                "characteristic.down": "50",
                "type.down": "integer",
                "characteristic.number": "07",
                "type.number": "string",
                "characteristic.none": "",
                "type.none": "string",
            },
            {
                "kind": "amend",
                "update": [{"id": "1", "characteristics": {"pack": "sport", "mesh": True, "down": 50, "number": "07"}}],
            },
        ),
        (
            {"kind": "amend", "item": "1", "status": "suspended"},
            {"kind": "amend", "update": [{"id": "1", "product": {"status": "suspended"}}]},
        ),
        (
            {"kind": "amend", "item": "1", "site": "s-2", "city": "Musterstadt", "country": " "},
            {
                "kind": "amend",
                "update": [{"id": "1", "place": {"id": "s-2", "role": "installationAddress", "city": "Musterstadt"}}],
            },
        ),
        (
            {"kind": "changePromise", "promisedAt": "2031-07-01T08:00", "reason": " a strike "},
            {"kind": "changePromise", "promisedAt": "2031-07-01T08:00:00+02:00", "reason": "a strike"},
        ),
        (
            {"kind": "reschedule", "requestedCompletionDate": "2031-07-01T08:00"},
            {"kind": "reschedule", "requestedCompletionDate": "2031-07-01T08:00:00+02:00"},
        ),
        (
            {
                "kind": "reschedule",
                "visitSite": "s-1",
                "start": "2031-01-07T08:00",
                "end": "2031-01-07T12:00",
                "timeZone": "Europe/Lisbon",
            },
            {
                "kind": "reschedule",
                "appointments": [
                    {
                        "site": "s-1",
                        "start": "2031-01-07T08:00:00+00:00",
                        "timeZone": "Europe/Lisbon",
                        "end": "2031-01-07T12:00:00+00:00",
                    }
                ],
            },
        ),
        (
            {
                "kind": "reschedule",
                "visitSite": "s-1",
                "slot": '{"start": "2031-01-07T08:00+01:00", "end": "2031-01-07T12:00+01:00", '
                '"timeZone": "Europe/Berlin"}',
                "start": "",
            },
            {
                "kind": "reschedule",
                "appointments": [
                    {
                        "site": "s-1",
                        "start": "2031-01-07T08:00+01:00",
                        "end": "2031-01-07T12:00+01:00",
                        "timeZone": "Europe/Berlin",
                    }
                ],
            },
        ),
    ],
)
def test_a_form_asks_for_what_is_different_in_it(form: dict[str, str], asked: dict[str, object]) -> None:
    assert change_in(form, BERLIN) == asked


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ({}, "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": "amend", "item": "1", "offering": "a", "was.offering": "a"}, "form"),
        ({"kind": "reschedule"}, "form"),
        ({"kind": "amend", "item": "1", "quantity": "many"}, "quantity"),
        ({"kind": "amend", "item": "1", "characteristic.pack": "{"}, "pack"),
        ({"kind": "reschedule", "requestedStartDate": "soon"}, "requestedStartDate"),
        ({"kind": "reschedule", "visitSite": "s", "start": "2031-01-07T08:00", "timeZone": "../etc"}, "timeZone"),
        ({"kind": "reschedule", "visitSite": "s", "slot": "{}"}, "slot"),
        ({"kind": "reschedule", "visitSite": "s", "slot": "[1]"}, "slot"),
        ({"kind": "reschedule", "visitSite": "s", "slot": "soon"}, "slot"),
    ],
)
def test_what_cannot_be_read_is_named(form: dict[str, str], path: str) -> None:
    with pytest.raises(Malformed) as malformed:
        change_in(form, BERLIN)
    assert [detail.path for detail in malformed.value.details] == [path]
