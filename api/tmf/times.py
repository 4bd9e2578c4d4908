"""Instants on the wire: written in UTC with `Z` and milliseconds. How they are read is in `orders.model.instants`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import PlainSerializer

from orders.model.instants import instant

InstantOut: TypeAlias = Annotated[datetime, PlainSerializer(instant, return_type=str)]
"""An instant that a client is told."""
