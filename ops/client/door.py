"""The API from outside, as any channel or care desk would call it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import httpx2
from pydantic import BaseModel, Field, JsonValue

from api.care.customers.customer_bodies import CustomerResponse, ListedOrders
from api.care.fallout.bulk_bodies import (
    BulkOrderResponse,
    BulkOrdersResponse,
    BulkPreviewResponse,
    JobResponse,
    JobsResponse,
)
from api.care.fallout.fallout_bodies import FalloutSummaryResponse, ListedFallouts
from api.care.fallout.work_bodies import ListedWorkItems, WorkItemResponse
from api.care.orders.care_bodies import (
    OrderResponse,
    TaskResponse,
    TasksResponse,
    TimelineEntryResponse,
    TimelineResponse,
)
from api.care.orders.change_bodies import ChangeResponse
from api.care.silos.demand_bodies import DemandResponse
from api.care.silos.silo_bodies import SiloHealthResponse, SilosResponse
from api.errors import ErrorBody
from api.tmf.tmf622.request import BASE_PATH
from logs import quoted
from orders.read_model.states import LifecycleState

Sought: TypeAlias = str | int | tuple[str, ...] | None
"""The value of what something is looked for by: of several, any."""

ENDED = (LifecycleState.COMPLETED, LifecycleState.CANCELLED, LifecycleState.REJECTED)

_BULK = "/care/v1/bulk"
_LATER = (408, 425, 429, 502, 503, 504)
_POLL_EVERY_S = 0.4
_PATIENCE_AT_FIRST_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 2.0


class DoorError(Exception):
    """The API said no, or did not answer: says what, for people. `code` is the API's own, if it answered."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Why(BaseModel):
    """One reason why an order was rejected."""

    code: str
    reason: str


class Submitted(BaseModel):
    """An order that was taken in: its TMF622 id, address and state, and if that is `rejected`, why."""

    id: str
    href: str
    state: LifecycleState
    rejected_for: tuple[Why, ...] = Field(default=(), alias="productOrderErrorMessage")


_Page = TypeVar("_Page", TasksResponse, TimelineResponse, BulkOrdersResponse)
_Read = TypeVar("_Read", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Refusal:
    code: str
    message: str


class Door:
    """The API at an address. Every method may raise `DoorError`.

    What it cannot answer now is asked again for `patience` seconds: there is no call that may not be repeated.
    `token` is the bearer token that is sent along. What orders hold comes quoted where no terminal should show it.
    """

    def __init__(self, address: str, *, token: str | None = None, patience: float = 15.0) -> None:
        self.address = address
        self._patience = patience
        self._has_answered = False
        limits = httpx2.Limits(max_connections=50)
        headers = {"Authorization": f"Bearer {token}"} if token else None
        self._http = httpx2.AsyncClient(base_url=address, headers=headers, timeout=10, limits=limits, trust_env=False)

    async def __aenter__(self) -> Door:
        """Nothing is done before the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def submit(self, body: Mapping[str, JsonValue]) -> Submitted:
        """Submit a TMF622 product order."""
        answer = await self._ask("POST", f"{BASE_PATH}/productOrder", dict(body))
        return _read(Submitted, answer)

    async def product_order(self, order_id: str) -> dict[str, JsonValue]:
        """An order as TMF622 resource, brought up to date with what was amended."""
        return (await self._ask("GET", f"{BASE_PATH}/productOrder/{order_id}")).json()

    async def order(self, order_id: str) -> OrderResponse:
        """An order in full."""
        return _read(OrderResponse, await self._ask("GET", f"/care/v1/orders/{order_id}"))

    async def tasks(self, order_id: str) -> AsyncIterator[TaskResponse]:
        """All tasks of an order, with what the silos are known to hold for them."""
        async for page in self._pages(f"/care/v1/orders/{order_id}/tasks", TasksResponse):
            for task in page.tasks:
                yield task

    async def timeline(self, order_id: str) -> AsyncIterator[TimelineEntryResponse]:
        """When what was done for an order, and what is still to come."""
        async for page in self._pages(f"/care/v1/orders/{order_id}/timeline", TimelineResponse):
            for entry in page.tasks:
                yield entry

    async def customer(self, customer_id: str) -> CustomerResponse:
        """Everything about a customer, over all channels."""
        answer = await self._ask("GET", f"/care/v1/customers/{quote(customer_id, safe='')}")
        return _read(CustomerResponse, answer)

    async def orders(self, search: Mapping[str, Sought]) -> ListedOrders:
        """A page of orders, the latest first."""
        answer = await self._ask("GET", f"/care/v1/orders{_query(search)}")
        return _read(ListedOrders, answer)

    async def fallout(self, search: Mapping[str, Sought]) -> ListedFallouts:
        """A page of the calls that a person is needed for."""
        answer = await self._ask("GET", f"/care/v1/fallout{_query(search)}")
        return _read(ListedFallouts, answer)

    async def fallout_summary(self, search: Mapping[str, Sought]) -> FalloutSummaryResponse:
        """Those calls by silo, operation and code."""
        answer = await self._ask("GET", f"/care/v1/fallout/summary{_query(search)}")
        return _read(FalloutSummaryResponse, answer)

    async def demand(self, search: Mapping[str, Sought]) -> DemandResponse:
        """What silos will be asked for."""
        answer = await self._ask("GET", f"/care/v1/demand{_query(search)}")
        return _read(DemandResponse, answer)

    async def demand_csv(self, search: Mapping[str, Sought]) -> str:
        """The same as CSV."""
        return (await self._ask("GET", f"/care/v1/demand{_query({**search, 'format': 'csv'})}")).text

    async def silos(self) -> SilosResponse:
        """Every silo, and how it is."""
        return _read(SilosResponse, await self._ask("GET", "/care/v1/silos"))

    async def silo(self, name: str) -> SiloHealthResponse:
        """One silo."""
        answer = await self._ask("GET", f"/care/v1/silos/{quote(name, safe='')}")
        return _read(SiloHealthResponse, answer)

    async def steer_silo(self, name: str, patch: Mapping[str, JsonValue]) -> SiloHealthResponse:
        """Do something with a silo by hand."""
        answer = await self._ask("PATCH", f"/care/v1/silos/{quote(name, safe='')}", dict(patch))
        return _read(SiloHealthResponse, answer)

    async def work_items(self, search: Mapping[str, Sought]) -> ListedWorkItems:
        """A page of what people are asked to do."""
        answer = await self._ask("GET", f"/care/v1/work-items{_query(search)}")
        return _read(ListedWorkItems, answer)

    async def work_item(self, work: str, act: Mapping[str, JsonValue] | None = None) -> WorkItemResponse:
        """A work item with its story; with an act, as it is after that."""
        path = f"/care/v1/work-items/{quote(work, safe='')}"
        answer = await (self._ask("GET", path) if act is None else self._ask("PATCH", path, dict(act)))
        return _read(WorkItemResponse, answer)

    async def change(self, order_id: str, change: Mapping[str, JsonValue]) -> ChangeResponse | None:
        """Ask for a change. None where the verdict takes longer: it will be among the order's changes."""
        answer = await self._ask("POST", f"/care/v1/orders/{order_id}/changes", dict(change))
        return None if answer.status_code == 202 else _read(ChangeResponse, answer)

    async def preview_job(self, body: Mapping[str, JsonValue]) -> BulkPreviewResponse:
        """Which orders would be asked, without asking any."""
        answer = await self._ask("POST", f"{_BULK}?dryRun=true", dict(body))
        return _read(BulkPreviewResponse, answer)

    async def begin_job(self, body: Mapping[str, JsonValue]) -> JobResponse:
        """Ask many orders for the same, once under the request id that the body names."""
        return _read(JobResponse, await self._ask("POST", _BULK, dict(body)))

    async def jobs(self, limit: int) -> JobsResponse:
        """A page of bulk work, the latest first."""
        return _read(JobsResponse, await self._ask("GET", f"{_BULK}?limit={limit}"))

    async def job(self, job_id: str) -> JobResponse:
        """A job, and how far it is."""
        return _read(JobResponse, await self._ask("GET", f"{_BULK}/{quote(job_id, safe='')}"))

    async def job_orders(self, job_id: str, search: Mapping[str, Sought]) -> AsyncIterator[BulkOrderResponse]:
        """The orders of a job, in the order in which they are asked."""
        async for page in self._pages(f"{_BULK}/{quote(job_id, safe='')}/orders", BulkOrdersResponse, search):
            for order in page.orders:
                yield order

    async def steer_job(self, job_id: str, verb: str, reason: str) -> JobResponse:
        """Stop, pause or resume a job."""
        path = f"{_BULK}/{quote(job_id, safe='')}/{verb}"
        return _read(JobResponse, await self._ask("POST", path, {"reason": reason}))

    async def end(self, order_id: str, within: float | None = None) -> OrderResponse:
        """Wait until an order has ended, or stands still because it needs a person, for so many seconds at most."""
        deadline = None if within is None else time.monotonic() + within
        while True:
            order = await self.order(order_id)
            if order.state in ENDED or order.state is LifecycleState.HELD:
                return order
            if deadline is not None and time.monotonic() > deadline:
                raise DoorError(f"{order_id} is {order.state} after {within:.0f} s")
            await asyncio.sleep(_POLL_EVERY_S)

    async def _pages(
        self, path: str, kind: type[_Page], search: Mapping[str, Sought] | None = None
    ) -> AsyncIterator[_Page]:
        """All pages of a list."""
        offset: int | None = 0
        while offset is not None:
            answer = await self._ask("GET", f"{path}{_query({**(search or {}), 'offset': offset})}")
            yield (page := _read(kind, answer))
            offset = page.next_offset

    async def _ask(self, method: str, path: str, body: dict[str, JsonValue] | None = None) -> httpx2.Response:
        begun = time.monotonic()
        pause = _FIRST_PAUSE_S
        while True:
            try:
                answer = await self._http.request(method, path, json=body)
            except httpx2.TransportError as error:
                refusal = _Refusal("unreachable", f"The API at {self.address} does not answer ({_cause(error)})")
            else:
                self._has_answered = True
                if answer.is_success:
                    return answer
                refusal = _refusal(answer)
                if answer.status_code not in _LATER:
                    raise DoorError(refusal.message, refusal.code)
            patience = self._patience if self._has_answered else min(self._patience, _PATIENCE_AT_FIRST_S)
            if time.monotonic() + pause > begun + patience:
                raise DoorError(refusal.message, refusal.code)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)


def _query(search: Mapping[str, Sought]) -> str:
    """What is looked for, as a query; what is None, or of no value, is not."""
    given = {name: value for name, value in search.items() if value not in (None, ())}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _refusal(answer: httpx2.Response) -> _Refusal:
    try:
        error = _read(ErrorBody, answer)
    except ValueError:
        return _Refusal("", f"HTTP status {answer.status_code}: {quoted(answer.text[:200])}")
    said = f"{error.reason}: {error.message}" if error.message else error.reason
    return _Refusal(error.code, f"{said} ({error.code})")


def _read(kind: type[_Read], answer: httpx2.Response) -> _Read:
    """An answer as the API wrote it, in camel case."""
    return kind.model_validate_json(_shown(answer), by_alias=True)


def _shown(answer: httpx2.Response) -> str:
    """An answer's JSON with all its text as it can be shown on a terminal: much of that is what somebody ordered."""
    return json.dumps(_quoted(json.loads(answer.content)))


def _quoted(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return [_quoted(each) for each in value]
    if isinstance(value, dict):
        return {quoted(name): _quoted(each) for name, each in value.items()}
    return value


def _cause(error: httpx2.TransportError) -> str:
    return str(error) or type(error).__name__
