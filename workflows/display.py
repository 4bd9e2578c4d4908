"""What Temporal's Web UI shows of an order: search attributes to find it by, and details to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model import wire_names
from orders.read_model.answer import Answer
from orders.read_model.jeopardy import JeopardyLevel
from orders.read_model.states import LifecycleState
from orders.tracking.answering import answer
from orders.tracking.details import details
from orders.tracking.lasting import Waits, waits_of
from workflows.sdk.current_details import tell_when_asked

ORDER_STATE = SearchAttributeKey.for_keyword(wire_names.ORDER_STATE)
ORDER_REVISION = SearchAttributeKey.for_int(wire_names.ORDER_REVISION)
EXTERNAL_ID = SearchAttributeKey.for_keyword(wire_names.EXTERNAL_ID)
CUSTOMER_ID = SearchAttributeKey.for_keyword(wire_names.CUSTOMER_ID)
CHANNEL = SearchAttributeKey.for_keyword(wire_names.CHANNEL)
OFFERINGS = SearchAttributeKey.for_keyword_list(wire_names.OFFERINGS)
WAITS_FOR = SearchAttributeKey.for_keyword_list(wire_names.WAITS_FOR)
FALLOUT_SILOS = SearchAttributeKey.for_keyword_list(wire_names.FALLOUT_SILOS)
IN_JEOPARDY = SearchAttributeKey.for_bool(wire_names.IN_JEOPARDY)
JEOPARDY = SearchAttributeKey.for_keyword(wire_names.JEOPARDY)
PROMISED_AT = SearchAttributeKey.for_datetime(wire_names.PROMISED_AT)
PROBLEM = SearchAttributeKey.for_keyword(wire_names.PROBLEM)


LONGEST_KEYWORD: Final = 255
"""Characters of a keyword that Temporal's stores in SQL have room for."""
MANY: Final = 10
READABLE: Final = timedelta(seconds=1)
"""How long it stands what an order waits for, while many calls are under way: that costs more than such a turn."""

LEVEL_LASTS: Final = timedelta(minutes=1)
"""How long an order is in a danger before that is worth an event of its own. Along with others it is told at once."""


@dataclass(frozen=True)
class _Shown:
    state: LifecycleState
    revision: int
    fallout: tuple[str, ...]
    in_jeopardy: bool
    promised_at: datetime | None
    problem: str | None


class Display:
    """Shows an order: in search attributes only what has changed, since every upsert is an event in history."""

    def __init__(self, order: Fulfilment) -> None:
        self._order = order
        self._shown: _Shown | None = None
        self._waits = Waits()
        self._listed = tuple(workflow.info().typed_search_attributes.get(WAITS_FOR) or ())
        self._read_anew_at = datetime.min.replace(tzinfo=UTC)
        tell_when_asked(self._details)

    @property
    def due(self) -> datetime | None:
        """When to show the order anew, since a call that is under way will have come to last."""
        lasts_at, level_at = self._waits.lasts_at, self._level_lasts_at()
        waits_at = None if lasts_at is None else max(lasts_at, self._read_anew_at)
        return min(filter(None, (waits_at, level_at)), default=None)

    def _level_lasts_at(self) -> datetime | None:
        """When the danger that the order is in is told though nothing else is. None where it is told, or over."""
        level, since = self._order.journal.carried.jeopardy, self._order.journal.carried.jeopardy_since
        told = workflow.info().typed_search_attributes.get(JEOPARDY)
        return None if told in (None, level) or since is None else since + LEVEL_LASTS

    def _details(self) -> str:
        try:
            return details(self._order, self._answer(), busy=self._waits.lasts_at is not None)
        except Exception as error:  # Nothing else of the answer should be lost.
            workflow.logger.error("current details cannot be told: %s", type(error).__name__)
            return "A defect of ours is in the way of these details."

    def _answer(self) -> Answer:
        order = self._order
        return answer(order, order.journal.carried.decides, ended=order.carried.end_recorded)

    def show(self) -> None:
        """Bring search attributes up to date.

        What is kept of it is kept at the end: where a defect is in the way, nothing is, as at replay.
        """
        order, now, waits, read_anew_at = self._order, workflow.now(), self._waits, self._read_anew_at
        if len(order.reconciler.calls) < MANY or now >= read_anew_at:
            waits, read_anew_at = waits_of(order, self._answer, now), now + READABLE
        shown = _Shown(
            order.told_state,
            order.revision.number,
            tuple(order.fallout_silos()),
            order.journal.carried.in_jeopardy,
            order.promised_at,
            next((problem.code for problem in order.problems.values()), None),
        )
        updates = list(_updates(order, shown)) if shown != self._shown else []
        level, lasts_at = order.journal.carried.jeopardy, self._level_lasts_at()
        told = workflow.info().typed_search_attributes.get(JEOPARDY)
        # An order that began without the attribute goes on without it: its history has no such events.
        if told not in (None, level) and (
            updates or level is JeopardyLevel.NONE or (lasts_at is not None and lasts_at <= now)
        ):
            updates.append(JEOPARDY.value_set(level.value))
        listed = self._listed
        if waits.told != listed and (updates or _is_news(waits, listed)):
            listed = waits.told
            updates.append(WAITS_FOR.value_set(listed) if listed else WAITS_FOR.value_unset())
        if updates:
            workflow.upsert_search_attributes(updates)  # pyright: ignore[reportUnknownMemberType]
        self._shown, self._listed, self._waits, self._read_anew_at = shown, listed, waits, read_anew_at


def _is_news(waits: Waits, listed: tuple[str, ...]) -> bool:
    """True where what is waited for is worth an event of its own, after what is listed.

    What is over is told along with what comes next: that may last too, and is known soon, or the order is done.
    """
    return not set(waits.told) <= set(listed) or (bool(waits.told) and waits.lasts_at is None)


def _updates(order: Fulfilment, shown: _Shown) -> Iterator[SearchAttributeUpdate[Any]]:
    have = workflow.info().typed_search_attributes
    if have.get(ORDER_STATE) != shown.state:
        yield ORDER_STATE.value_set(shown.state.value)
    if have.get(ORDER_REVISION) != shown.revision:
        yield ORDER_REVISION.value_set(shown.revision)
        yield OFFERINGS.value_set(order.revision.offerings())
    if tuple(have.get(FALLOUT_SILOS) or ()) != shown.fallout:
        yield FALLOUT_SILOS.value_set(shown.fallout)
    if bool(have.get(IN_JEOPARDY)) != shown.in_jeopardy:
        yield IN_JEOPARDY.value_set(shown.in_jeopardy)
    if (
        shown.promised_at is not None
        and order.carried.promised_at is not None
        and have.get(PROMISED_AT) != shown.promised_at
    ):
        yield PROMISED_AT.value_set(shown.promised_at)
    if have.get(PROBLEM) != shown.problem:
        yield PROBLEM.value_unset() if shown.problem is None else PROBLEM.value_set(shown.problem)
