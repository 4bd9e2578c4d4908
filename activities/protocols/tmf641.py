"""TMF641 Service Ordering: silos that acknowledge at once and are done later, hours or weeks.

Milestones and the end come by callback. Since callbacks get lost, `inspect` asks for them too.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, RootModel, WrapValidator

from activities.protocols.http_client import SiloBody, SiloHttp, or_none, understood
from activities.protocols.protocol import Holding, SiloProtocol
from activities.protocols.tmf640 import Service, Specification, characteristics, held_service
from orders.fulfilment.messages import SiloCall
from orders.model.instants import Instant, instant
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind

UNKNOWN_SERVICE_ORDER: Final = "unknown_service_order"


class ServiceOrderState(StrEnum):
    """TMF641 v4 states of a service order."""

    ACKNOWLEDGED = "acknowledged"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    ASSESSING_CANCELLATION = "assessingCancellation"
    PENDING_CANCELLATION = "pendingCancellation"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


_KIND: Final = {
    ServiceOrderState.COMPLETED: OutcomeKind.DONE,
    # An order of one item that is done in part is not done.
    ServiceOrderState.PARTIAL: OutcomeKind.REFUSED,
    ServiceOrderState.FAILED: OutcomeKind.REFUSED,
    ServiceOrderState.CANCELLED: OutcomeKind.REFUSED,
    ServiceOrderState.REJECTED: OutcomeKind.REFUSED,
}
"""What has ended; everything else is still to come."""


class ErrorMessage(SiloBody):
    """Why a service order failed."""

    code: str = ""
    reason: str = ""
    message: str = ""


class Milestone(SiloBody):
    """A stage of a service order. It is reached where its status says `Completed`, or says nothing."""

    name: str = Field(min_length=1, max_length=200)
    status: str | None = None
    milestone_date: Annotated[Instant | None, WrapValidator(or_none)] = None

    @property
    def reached(self) -> bool:
        """True where it is behind."""
        return self.status is None or self.status.lower() == "completed"


class ServiceOrderItem(SiloBody):
    """What is asked for; each of our service orders has one item."""

    id: str = "1"
    action: Literal["add", "modify", "delete"]
    service: Service


class ServiceOrder(SiloBody):
    """A TMF641 service order, as it is sent, answered and polled."""

    external_id: str | None = None
    state: ServiceOrderState | None = None
    error_message: tuple[ErrorMessage, ...] | None = None
    milestone: tuple[Milestone, ...] | None = None
    service_order_item: tuple[ServiceOrderItem, ...] = Field(min_length=1)

    @property
    def milestones(self) -> dict[str, str]:
        """The milestones reached, by name, with the instant (ISO 8601, UTC); empty where none is told."""
        return {
            milestone.name: _instant(milestone.milestone_date)
            for milestone in self.milestone or ()
            if milestone.reached
        }

    @property
    def outcome(self) -> Outcome:
        """What became of the call that it carried, and the milestones reached by it."""
        kind = _KIND.get(self.state or ServiceOrderState.ACKNOWLEDGED, OutcomeKind.ACKNOWLEDGED)
        item = self.service_order_item[0]
        match kind:
            case OutcomeKind.DONE if item.action != "delete":
                return Outcome(kind, item.service.characteristics, milestones=self.milestones)
            case OutcomeKind.REFUSED:
                error = self.error_message[0] if self.error_message else ErrorMessage()
                return Outcome(kind, code=error.code or str(self.state), reason=error.message or error.reason)
            case _:
                return Outcome(kind, milestones=self.milestones)


def _instant(date: datetime | None) -> str:
    return instant(date) if date else ""


class ServiceOrders(RootModel[tuple[ServiceOrder, ...]]):
    """The answer to a poll."""


class Tmf641(SiloProtocol):
    """A silo that takes service orders."""

    def __init__(self, http: SiloHttp) -> None:
        self._http = http

    async def provision(self, call: SiloCall) -> Outcome:
        """POST a service order that adds."""
        return await self._order("add", call)

    async def amend(self, call: SiloCall) -> Outcome:
        """POST a service order that modifies; while the add is pending, it takes that over."""
        return await self._order("modify", call)

    async def compensate(self, call: SiloCall) -> Outcome:
        """POST a service order that deletes, which is done at once while nothing but pending work is there."""
        return await self._order("delete", call)

    async def inspect(self, call: SiloCall) -> Outcome:
        """GET the awaited call's service order by its external id or, without one, the service."""
        if call.awaited is None:
            return await super().inspect(call)
        content = await self._http.ask(("serviceOrder",), call, {"externalId": call.key})
        for order in understood(ServiceOrders, content).root if content is not None else ():
            # A silo that does not know the filter answers with everything.
            if order.external_id == call.key:
                return order.outcome
        return await self._without_order(call)

    async def held(self, call: SiloCall) -> Holding | None:
        """GET a service, which is inactive while its add is pending."""
        return await held_service(self._http, call)

    async def _order(self, action: Literal["add", "modify", "delete"], call: SiloCall) -> Outcome:
        service = Service(
            id=call.service,
            service_specification=Specification(id=call.operation),
            service_characteristic=characteristics(call.inputs),
        )
        item = ServiceOrderItem(id="1", action=action, service=service)
        order = ServiceOrder(external_id=call.key, service_order_item=(item,))
        return understood(ServiceOrder, await self._http.change("POST", ("serviceOrder",), call, order)).outcome

    async def _without_order(self, call: SiloCall) -> Outcome:
        """What became of a call whose service order is not known any more: silos clear old ones away."""
        holding = await self.held(call)
        if holding is None:
            return Outcome(OutcomeKind.LOST)
        if call.awaited is Verb.PROVISION or (call.awaited is Verb.AMEND and holding.has(call.inputs)):
            return holding.outcome
        reason = f"the silo holds {call.service}, but knows no service order {call.key}"
        return Outcome(OutcomeKind.REFUSED, code=UNKNOWN_SERVICE_ORDER, reason=reason)
