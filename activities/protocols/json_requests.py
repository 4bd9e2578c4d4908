"""Requests to a silo by its templates. No value breaks out of the part of a request that it stands in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from pydantic import JsonValue

from activities.protocols.protocol import Refused
from orders.fulfilment.messages import SiloCall
from orders.model.expressions import as_text, fill, references
from orders.model.silos.http_silo import HELD, HttpRequest
from orders.model.values import Inputs

UNFIT_INPUT: Final = "unfit_input"
"""The code of a call that was not made, since a value does not fit where its template puts it."""
_LEADS_ELSEWHERE: Final = re.compile(r"/(\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
"""A part of a path that servers take for a step up."""


@dataclass(frozen=True, slots=True)
class JsonRequest:
    """A request as it is sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: str | None


Values = dict[str, dict[str, JsonValue]]


def values_of(call: SiloCall, callback_url: str, held: Inputs) -> Values:
    """What templates can name, by namespace."""
    names = urlencode({"order": call.order_id, "key": call.key})
    return {
        "input": call.inputs,
        "call": {
            "id": call.service,
            "key": call.key,
            "order": call.order_id,
            "operation": call.operation,
            "inputs": call.inputs,
            "callback_url": f"{callback_url}/report?{names}",
        },
        HELD: held,
    }


def filled(template: HttpRequest, common: Mapping[str, str], values: Values) -> JsonRequest:
    """A request by its template, with the headers that are common to all.

    Raises:
        Refused: if a value does not fit where it is to stand.
    """
    body = fill(template.body, values)
    query = {name: fill(value, values) for name, value in template.query.items()}
    return JsonRequest(
        method=template.method,
        path=_path(template.path, values),
        query={name: as_text(value) for name, value in query.items() if value is not None},
        headers={name: _header(name, value, values) for name, value in {**common, **template.headers}.items()},
        content=None if template.body is None else json.dumps(body, ensure_ascii=False),
    )


def _path(template: str, values: Values) -> str:
    """A path whose values are whole parts of it, or stay within one."""
    quoted: Values = {}
    for reference in references(template):
        value = values.get(reference.namespace, {}).get(reference.name)
        name = f"${{{reference.namespace}.{reference.name}}}"
        if value is None or value == "" or isinstance(value, dict | list):
            raise Refused(UNFIT_INPUT, f"{name} is to be part of a path, and is {json.dumps(value)}"[:500])
        quoted.setdefault(reference.namespace, {})[reference.name] = quote(as_text(value), safe="")
    path = as_text(fill(template, quoted))
    if _LEADS_ELSEWHERE.search(path):
        raise Refused(UNFIT_INPUT, f"the path {path} would lead elsewhere"[:500])
    return path


def _header(name: str, template: str, values: Values) -> str:
    value = as_text(fill(template, values)).strip()
    if not (value.isascii() and value.isprintable()):
        raise Refused(UNFIT_INPUT, f"the header {name} would have characters that none can have")
    return value
