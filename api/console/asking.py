"""From what somebody filled in to the change that they ask for, in the words of the care API.

Fields that were left as they are ask for nothing: each form says beside a field what it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.errors import Malformed, problem
from orders.change.request import ChangeKind

_WAS: Final = "was."
_CHARACTERISTIC: Final = "characteristic."
_TYPE: Final = "type."
_ADDRESS: Final = ("streetName", "streetNr", "postcode", "city", "country")
_BY_HAND: Final = ("inputs", "outputs")
"""What a person gives for one call, or has got by doing it: a field for each name, such as `outputs.tv_id`."""
_PLAIN: Final = (ChangeKind.CANCEL, ChangeKind.HOLD, ChangeKind.RELEASE)
_OF_A_TASK: Final = (ChangeKind.REPLACE, ChangeKind.RETRY, ChangeKind.RESOLVE)

Fields = Mapping[str, str]


def change_in(form: Fields, zone: ZoneInfo) -> dict[str, Any]:
    """What a form asks for. Times without a zone of their own are those of `zone`.

    Raises:
        Malformed: if it asks for nothing, or a field cannot be read.
    """
    try:
        kind = ChangeKind(form.get("kind", ""))
    except ValueError as error:
        raise Malformed([problem("kind", "is no kind of change")]) from error
    asked: dict[str, Any] = {"kind": str(kind)}
    if kind in _PLAIN:
        return asked
    if kind in _OF_A_TASK:
        said = {name: form[name] for name in ("task", "silo", "resolution", "reason") if form.get(name)}
        return asked | said | {kind: given for kind in _BY_HAND if (given := _given(form, f"{kind}."))}
    if kind is ChangeKind.CANCEL_ITEMS:
        return asked | {"items": [form.get("item", "")], "cascade": True}
    if kind is ChangeKind.CHANGE_PRIORITY:
        return asked | {"priority": _number(form, "priority")}
    if kind is ChangeKind.CHANGE_PROMISE:
        promised = instant_in("promisedAt", form.get("promisedAt", ""), zone)
        return asked | {"promisedAt": promised, "reason": form.get("reason", "").strip()}
    more = _dates(form, zone) if kind is ChangeKind.RESCHEDULE else _update(form)
    if not more:
        raise Malformed([problem("form", "nothing in it is to be different")])
    return asked | more


def _given(form: Fields, prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): given for name, given in form.items() if name.startswith(prefix) and given}


def _update(form: Fields) -> dict[str, Any]:
    update: dict[str, Any] = {}
    if _differs(form, "offering"):
        update["offering"] = form["offering"]
    if _differs(form, "quantity"):
        update["quantity"] = _number(form, "quantity")
    if form.get("status"):
        update["product"] = {"status": form["status"]}
    names = [name.removeprefix(_CHARACTERISTIC) for name in form if name.startswith(_CHARACTERISTIC)]
    characteristics = {name: _value(form, name) for name in names if _differs(form, f"{_CHARACTERISTIC}{name}")}
    if characteristics:
        update["characteristics"] = characteristics
    if form.get("site"):
        address = {name: form[name].strip() for name in _ADDRESS if form.get(name, "").strip()}
        update["place"] = {"id": form["site"].strip(), "role": "installationAddress", **address}
    return {"update": [{"id": form.get("item", ""), **update}]} if update else {}


def _dates(form: Fields, zone: ZoneInfo) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for field in ("requestedStartDate", "requestedCompletionDate"):
        if form.get(field):
            asked[field] = instant_in(field, form[field], zone)
    if form.get("visitSite") and form.get("slot"):
        asked["appointments"] = [{**_slot(form["slot"]), "site": form["visitSite"]}]
    elif form.get("visitSite") and form.get("start"):
        name = form.get("timeZone") or str(zone)
        try:
            there = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise Malformed([problem("timeZone", "is no time zone, such as Europe/Berlin")]) from error
        visit = {"site": form["visitSite"], "start": instant_in("start", form["start"], there), "timeZone": name}
        if form.get("end"):
            visit["end"] = instant_in("end", form["end"], there)
        asked["appointments"] = [visit]
    return asked


def _slot(text: str) -> dict[str, str]:
    """A slot as it was offered, with the offset of its site: it is asked for as it stands."""
    try:
        read = json.loads(text)
        return {name: str(read[name]) for name in ("start", "end", "timeZone")}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Malformed([problem("slot", "is no slot that was offered")]) from error


def _differs(form: Fields, field: str) -> bool:
    return field in form and form[field] != "" and form[field] != form.get(f"{_WAS}{field}", "")


def _value(form: Fields, name: str) -> Any:
    """Fields with a choice of values have them as JSON, others say of which type they are."""
    given, kind = form[f"{_CHARACTERISTIC}{name}"], form.get(f"{_TYPE}{name}")
    if kind == "string":
        return given
    if kind == "integer":
        return _number(form, f"{_CHARACTERISTIC}{name}")
    try:
        return json.loads(given)
    except ValueError as error:
        raise Malformed([problem(name, "cannot be read")]) from error


def _number(form: Fields, field: str) -> int:
    try:
        return int(form.get(field, ""))
    except ValueError as error:
        raise Malformed([problem(field.removeprefix(_CHARACTERISTIC), "must be a whole number")]) from error


def instant_in(field: str, text: str, zone: ZoneInfo) -> str:
    """An instant that was filled in, of `zone` where it has none of its own.

    Raises:
        Malformed: if it cannot be read.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed([problem(field, "must be a date and a time")]) from error
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).isoformat()
