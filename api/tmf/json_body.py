"""JSON bodies as they came: what may be in them, and by what two of them are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import islice
from typing import TypeAlias

from pydantic import JsonValue

from api.errors import MOST_DETAILS, Malformed, json_path, problem
from orders.model.writing.json_values import misfits_of_json

Json: TypeAlias = dict[str, JsonValue]
"""A JSON object, to write to."""

Body: TypeAlias = Mapping[str, JsonValue]
"""A JSON object, to read only."""


def body_digest(body: Body) -> str:
    """SHA-256 over the body as JSON with sorted keys: equal content, equal digest.

    Raises:
        Malformed: if it holds what cannot be kept, also where nobody reads it. See `require_sound`.
    """
    require_sound(body)
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def require_sound(value: object) -> None:
    """Return if a document holds nothing that JSON, a database or a reader does not take: see `json_values`.

    Raises:
        Malformed: naming the path of everything that does not fit.
    """
    found = [problem(json_path(path), why) for path, why in islice(misfits_of_json(value), MOST_DETAILS)]
    if found:
        raise Malformed(found)
