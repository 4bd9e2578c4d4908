"""How an instant is written, in every log, record and answer alike."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(value: datetime) -> str:
    """An instant in UTC with milliseconds: `2031-03-03T07:00:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
