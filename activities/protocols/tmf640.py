"""TMF640 Service Activation and Configuration: silos that have done it when they answer."""

from __future__ import annotations

from pydantic import JsonValue

from activities.protocols.http_client import SiloBody, SiloHttp, understood
from activities.protocols.protocol import Holding, SiloProtocol
from orders.fulfilment.messages import SiloCall
from orders.model.values import Inputs
from orders.reconcile.outcome import Outcome, OutcomeKind


class Characteristic(SiloBody):
    """A name with a value."""

    name: str
    value: JsonValue = None


class Specification(SiloBody):
    """Names the operation."""

    id: str


class Service(SiloBody):
    """A TMF640 service. Answers carry a silo's outputs among the characteristics."""

    id: str | None = None
    state: str = "active"
    service_specification: Specification | None = None
    service_characteristic: tuple[Characteristic, ...] = ()

    @property
    def characteristics(self) -> Inputs:
        """Inputs and outputs by name."""
        return {characteristic.name: characteristic.value for characteristic in self.service_characteristic}


def characteristics(inputs: Inputs) -> tuple[Characteristic, ...]:
    """Inputs as they are sent."""
    return tuple(Characteristic(name=name, value=value) for name, value in inputs.items())


async def held_service(http: SiloHttp, call: SiloCall) -> Holding | None:
    """What stands under the call's service id, the same in TMF640 and TMF641."""
    content = await http.ask(("service", call.service), call)
    if content is None:
        return None
    service = understood(Service, content)
    if service.state == "terminated":
        return None
    return Holding(service.characteristics, active=service.state != "inactive")


class Tmf640(SiloProtocol):
    """A silo that activates and configures at once."""

    def __init__(self, http: SiloHttp) -> None:
        self._http = http

    async def provision(self, call: SiloCall) -> Outcome:
        """POST a service."""
        service = Service(
            id=call.service,
            state="active",
            service_specification=Specification(id=call.operation),
            service_characteristic=characteristics(call.inputs),
        )
        return _outcome(await self._http.change("POST", ("service",), call, service))

    async def amend(self, call: SiloCall) -> Outcome:
        """PATCH a service with its new characteristics, all of them."""
        service = Service(
            service_specification=Specification(id=call.operation),
            service_characteristic=characteristics(call.inputs),
        )
        return _outcome(await self._http.change("PATCH", ("service", call.service), call, service))

    async def compensate(self, call: SiloCall) -> Outcome:
        """DELETE a service, whether or not it was ever there."""
        await self._http.change("DELETE", ("service", call.service), call)
        return Outcome(OutcomeKind.DONE)

    async def held(self, call: SiloCall) -> Holding | None:
        """GET a service."""
        return await held_service(self._http, call)


def _outcome(content: bytes) -> Outcome:
    service = understood(Service, content)
    if service.state == "terminated":
        # What the answer to a call that a compensation overtook looks like: nothing was done, nothing is held.
        return Outcome(OutcomeKind.LOST, code="terminated", reason="a newer call has ended the service")
    return Outcome(OutcomeKind.DONE, service.characteristics)
