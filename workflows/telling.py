"""What an order tells operators as it goes on: a line in the log for each move, decision and refusal, and numbers.

Neither is told at replay, and neither leaves a trace in history. No line holds what anybody wrote in words.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from pydantic import JsonValue
from temporalio import workflow

from logs import TOLD, code
from orders.change.request import ChangeState
from orders.fulfilment.order_in_flight import Fulfilment
from orders.read_model.jeopardy import JeopardyLevel
from orders.read_model.records import EventKind, OrderEvent

CHANGES: Final = "orderpipe_changes"
FALLOUT: Final = "orderpipe_fallout"
JEOPARDY: Final = "orderpipe_jeopardy"

_Fields: TypeAlias = Mapping[str, object]


class Logbook:
    """Tells each thing once. What an earlier run has told is not told again."""

    def __init__(self, order: Fulfilment) -> None:
        self._order = order
        self._decided: dict[str, ChangeState] = {request: verdict.state for request, verdict in order.verdicts.items()}
        carried = order.journal.carried
        self._noted, self._transition, self._event = carried.noted, carried.last_transition, carried.last_event
        if order.start.carried is None:  # What it begins with is news.
            self._noted = self._transition = self._event = 0

    def tell(self) -> None:
        """Tell what is new since the last time. It costs what is new."""
        carried = self._order.journal.carried
        if carried.noted == self._noted:
            return
        self._noted = carried.noted
        for request, verdict in self._order.verdicts.items():
            if self._decided.get(request) is not verdict.state:
                self._decided[request] = verdict.state
                kind = verdict.kind or "unreadable"
                codes = ",".join(code(reason.code) for reason in verdict.reasons) or None
                self._line("change decided", change=request, kind=kind, verdict=verdict.state, codes=codes)
                _count(CHANGES, "Decisions on changes.", kind=kind, verdict=verdict.state)
        for move in carried.transitions:
            if move.number > self._transition and move.item is None and move.milestone is None:
                self._line("order moved", before=move.before, state=move.after, cause=move.cause)
        for event in carried.events:
            if event.number > self._event:
                self._tell_event(event)
        self._transition, self._event = carried.last_transition, carried.last_event

    def _tell_event(self, event: OrderEvent) -> None:
        if event.kind is EventKind.JEOPARDY:
            late = event.data["inJeopardy"] is True
            was_late = JeopardyLevel(str(event.data.get("before", JeopardyLevel.NONE))).is_late
            promised, expected = event.data["promisedAt"], event.data["expectedAt"]
            if late is not was_late:
                self._line("order is late" if late else "order is in time again", promised=promised, expected=expected)
            if late and not was_late:
                _count(JEOPARDY, "Orders that came to be expected later than promised.")
        for fallen in _fallen(event.data.get("fallout")):
            self._line(
                "a call waits for a person", logging.WARNING, **{**fallen, "code": code(str(fallen.get("code", "")))}
            )
            _count(FALLOUT, "Calls that came to wait for a person.", silo=str(fallen.get("silo", "")))

    def _line(self, what: str, level: int = logging.INFO, /, **fields: object) -> None:
        about: _Fields = {"external_id": self._order.start.external_id, **fields}
        told = {name: _plain(value) for name, value in about.items() if value is not None}
        workflow.logger.log(level, what, extra={TOLD: told})


def _fallen(told: JsonValue) -> Iterator[dict[str, JsonValue]]:
    for each in told if isinstance(told, list) else ():
        if isinstance(each, dict):
            yield each


def _plain(value: object) -> str:
    return str(value)


def _count(name: str, what: str, **of: str) -> None:
    workflow.metric_meter().create_counter(name, what).add(1, {label: str(value) for label, value in of.items()})
