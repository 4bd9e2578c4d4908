"""What Temporal's Web UI shows of an order: search attributes to find it by, and details to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.reporting import details
from orders.model import wire_names
from orders.read_model.states import LifecycleState

ORDER_STATE = SearchAttributeKey.for_keyword(wire_names.ORDER_STATE)
ORDER_REVISION = SearchAttributeKey.for_int(wire_names.ORDER_REVISION)
CUSTOMER_ID = SearchAttributeKey.for_keyword(wire_names.CUSTOMER_ID)
CHANNEL = SearchAttributeKey.for_keyword(wire_names.CHANNEL)
OFFERINGS = SearchAttributeKey.for_keyword_list(wire_names.OFFERINGS)
FALLOUT_SILOS = SearchAttributeKey.for_keyword_list(wire_names.FALLOUT_SILOS)
IN_JEOPARDY = SearchAttributeKey.for_bool(wire_names.IN_JEOPARDY)
PROMISED_AT = SearchAttributeKey.for_datetime(wire_names.PROMISED_AT)
PROBLEM = SearchAttributeKey.for_keyword(wire_names.PROBLEM)


MANY: Final = 10
READABLE: Final = timedelta(seconds=1)
"""How long the details stand while many calls are under way. They cost more than such a turn does."""


@dataclass(frozen=True)
class _Shown:
    state: LifecycleState
    revision: int
    fallout: tuple[str, ...]
    in_jeopardy: bool
    promised_at: datetime | None
    problem: str | None


class Display:
    """Shows an order, and only what has changed: every upsert is an event in history."""

    def __init__(self) -> None:
        self._shown: _Shown | None = None
        self._read_anew_at = datetime.min.replace(tzinfo=UTC)

    def show(self, order: Fulfilment) -> None:
        """Bring details and search attributes up to date."""
        if len(order.reconciler.calls) < MANY or workflow.now() >= self._read_anew_at:
            workflow.set_current_details(details(order))
            self._read_anew_at = workflow.now() + READABLE
        in_jeopardy = order.journal.carried.in_jeopardy
        shown = _Shown(
            order.told_state,
            order.revision.number,
            tuple(order.fallout_silos()),
            in_jeopardy,
            order.promised_at,
            next((problem.code for problem in order.problems.values()), None),
        )
        if shown == self._shown:
            return
        have = workflow.info().typed_search_attributes
        updates: list[SearchAttributeUpdate[Any]] = []
        if have.get(ORDER_STATE) != shown.state:
            updates.append(ORDER_STATE.value_set(shown.state.value))
        if have.get(ORDER_REVISION) != shown.revision:
            updates.append(ORDER_REVISION.value_set(shown.revision))
            updates.append(OFFERINGS.value_set(order.revision.offerings()))
        if tuple(have.get(FALLOUT_SILOS) or ()) != shown.fallout:
            updates.append(FALLOUT_SILOS.value_set(shown.fallout))
        if bool(have.get(IN_JEOPARDY)) != shown.in_jeopardy:
            updates.append(IN_JEOPARDY.value_set(shown.in_jeopardy))
        if (
            shown.promised_at is not None
            and order.carried.promised_at is not None
            and have.get(PROMISED_AT) != shown.promised_at
        ):
            updates.append(PROMISED_AT.value_set(shown.promised_at))
        if have.get(PROBLEM) != shown.problem:
            updates.append(PROBLEM.value_unset() if shown.problem is None else PROBLEM.value_set(shown.problem))
        if updates:
            workflow.upsert_search_attributes(updates)  # pyright: ignore[reportUnknownMemberType]
        self._shown = shown
