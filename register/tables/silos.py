"""What is told of silos, what orders ask of them, and how long they take."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, Table

from register.tables.columns import SCHEMA, instant_column, json_column, key_column, text_column

SILOS: Final = Table(
    "silos",
    SCHEMA,
    key_column("name"),
    Column("version", Integer, nullable=False),
    json_column("content"),
)
"""The `Condition` of each silo that something was the matter with, or that somebody had to do with, as its workflow
told it last."""

SILO_FIGURES: Final = Table(
    "silo_figures",
    SCHEMA,
    key_column("silo"),
    key_column("worker"),
    instant_column("at"),
    json_column("content"),
)
"""What each worker's calls on a silo came to lately: `Figures`. What is old is forgotten."""

DEMANDS: Final = Table(
    "demands",
    SCHEMA,
    key_column("order_id"),
    key_column("task"),
    text_column("silo"),
    text_column("operation"),
    text_column("place"),
    text_column("kind"),
    text_column("likely"),
    text_column("safe"),
    text_column("asked", nullable=True),
    instant_column("starts", nullable=True),
    Index(None, "silo", "operation", "place", "likely"),
)
"""What orders have asked of silos, and will still ask: a `Need` each, its days as in ISO 8601. Worked out of what else
stands here, when somebody asks."""

DEMAND_ORDERS: Final = Table(
    "demand_orders",
    SCHEMA,
    key_column("order_id"),
    Column("version", Integer, nullable=False),
    text_column("rules"),
    Column("in_flight", Boolean, nullable=False, index=True),
)
"""The version of each order by which its demands were worked out, and by which rules."""

SLOT_HOLDS: Final = Table(
    "slot_holds",
    SCHEMA,
    key_column("task"),
    text_column("silo"),
    text_column("operation"),
    text_column("place"),
    text_column("day"),
    instant_column("starts"),
    instant_column("until"),
)
"""Slots of visits that were just chosen, until their order tells of them: by the visit's task."""

CAPACITIES: Final = Table(
    "capacities",
    SCHEMA,
    key_column("name"),
    json_column("content"),
)
"""What was told of capacities since the catalog was written: a `StatedCapacity` each."""

DURATIONS: Final = Table(
    "durations",
    SCHEMA,
    key_column("silo"),
    key_column("operation"),
    key_column("verb"),
    key_column("of"),
    json_column("content"),
)
"""How long each kind of work really took: a `Sketch`. `of` is a place or an offering, or empty: of all of them."""
