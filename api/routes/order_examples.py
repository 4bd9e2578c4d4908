"""The example orders, as the API's documentation offers them: each can be sent as it stands."""

from __future__ import annotations

import json
from typing import Final

from fastapi.openapi.models import Example

from settings import ROOT


def _examples() -> dict[str, Example]:
    found: dict[str, Example] = {}
    for path in sorted((ROOT / "examples" / "orders").glob("*.json")):
        body = json.loads(path.read_bytes())
        found[path.stem] = {"summary": body.get("description", path.stem), "value": body}
    return found


ORDERS: Final = _examples()
"""By name, in OpenAPI's form; none where only the packages were installed."""
