"""API errors and their one representation: TMF630's `Error`.

How they are answered is in `api.error_answers`: a client reads errors too, and needs no web framework for it.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orders.model.order import Reason
from orders.model.values import Money
from orders.model.writing.reading import in_words, telling

if TYPE_CHECKING:
    from fastapi.exceptions import RequestValidationError
    from pydantic_core import ErrorDetails

MALFORMED = "malformed"
"""The code of whatever is not of the form asked for."""

_DEEPEST = 10
"""Names in the path of what is nested too deep."""

MOST_DETAILS = 50
"""A body can be wrong in thousands of places; nobody reads further."""


class Detail(BaseModel):
    """One thing that is wrong: where in the body, or with which order item."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    path: str | None = None
    item: str | None = None


class MoneyOut(BaseModel):
    """TM Forum's `Money`: `unit` is an ISO 4217 currency."""

    model_config = ConfigDict(frozen=True)

    unit: str
    value: float


class ErrorBody(BaseModel):
    """TMF630 `Error`. Extensions: `details`, an entry for each thing that is wrong; `fee`, at which it can be had."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    type: str = Field(default="Error", alias="@type")
    code: str
    reason: str
    message: str = ""
    status: str
    details: tuple[Detail, ...] | None = None
    fee: tuple[MoneyOut, ...] | None = None


class ApiError(Exception):
    """An answer other than success. `code` is for programs, `reason` and `message` for people."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal"
    headers: Mapping[str, str] = {}
    fees: tuple[Money, ...] = ()

    def __init__(self, reason: str, message: str = "", details: Iterable[Detail] = ()) -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.reason = reason
        self.message = message
        self.details = tuple(details)[:MOST_DETAILS]

    def __reduce__(self) -> tuple[object, ...]:
        """How it is told to another process: as it is, not made anew of its text."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # pyright: ignore[reportAttributeAccessIssue]


class Malformed(ApiError):
    """400: the body or a parameter is not of the form asked for. Every detail names its JSON path."""

    status = HTTPStatus.BAD_REQUEST
    code = MALFORMED

    def __init__(self, details: Iterable[Detail]) -> None:
        found = tuple(details)
        message = "; ".join(f"{detail.path}: {detail.message}" for detail in found[:MOST_DETAILS])
        super().__init__("The request is malformed", message, found)


class OrderTooLarge(ApiError):
    """400: more than the budget of one order. The message names the limit and the size."""

    status = HTTPStatus.BAD_REQUEST
    code = "order_too_large"


class Unauthorized(ApiError):
    """401: there is no usable token. With the challenge of RFC 6750, which tells a missing token from a bad one."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"

    def __init__(self, problem: str = "") -> None:
        super().__init__("A bearer token is needed", problem or "The header Authorization has none")
        challenge = f', error="invalid_token", error_description="{problem}"' if problem else ""
        # Closed, so that a body is not read either.
        self.headers = {"WWW-Authenticate": f'Bearer realm="orderpipe"{challenge}', "Connection": "close"}


class Forbidden(ApiError):
    """403: the caller is known, and may not do that. `scope` is the one that is missing, if that is what is."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"

    def __init__(self, reason: str, message: str = "", scope: str = "") -> None:
        super().__init__(reason, message)
        if scope:
            challenge = f'Bearer realm="orderpipe", error="insufficient_scope", scope="{scope}"'
            self.headers = {"WWW-Authenticate": challenge}


class BodyTooLarge(ApiError):
    """413: the body is longer than the settings allow. The connection is closed: the rest of it is not read."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "body_too_large"
    headers = {"Connection": "close"}

    def __init__(self, most: int) -> None:
        super().__init__("The body is too large", f"At most {most} bytes are taken in one request")


class BodyTooSlow(ApiError):
    """408: the body does not come. The connection is closed."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "body_too_slow"
    headers = {"Connection": "close"}

    def __init__(self, within_s: float) -> None:
        super().__init__("The body does not come", f"It has to be there within {within_s:g} seconds")


class TooManyRequests(ApiError):
    """429: the caller has asked too often. `wait` is in seconds."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_requests"

    def __init__(self, per_second: float, wait: int) -> None:
        super().__init__("Too many requests", f"At most {per_second:g} a second are taken from one caller")
        self.headers = {"Retry-After": str(wait)}


class UnknownOrder(ApiError):
    """404: there is no such order, neither with Temporal nor in the register."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_order"


class UnknownOrderNamed(UnknownOrder):
    """400: a body names an order that there is not. 404 is for what the path names."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, path: str, error: UnknownOrder) -> None:
        super().__init__(error.reason, error.message, [Detail(code=self.code, path=path, message=error.reason)])


class UnknownCustomer(ApiError):
    """404: no customer of that id has or had an order or a product."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_customer"


class UnknownCancellation(ApiError):
    """404: there is no such cancellation."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_cancellation"


class UnknownProduct(ApiError):
    """404: no such product is installed, or the caller may not see it."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_product"


class UnknownFallout(ApiError):
    """404: there is no such fallout, or the caller may not see the order that it is of."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_fallout"


class UnknownMessage(ApiError):
    """404: there is no such message, or the caller may not see the order that it is about."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_message"


class MessageNotSo(ApiError):
    """409: a message is not in a state in which that can be done with it."""

    status = HTTPStatus.CONFLICT
    code = "message_state"


class UnknownView(ApiError):
    """404: nothing was saved under that name."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_view"


class TooManyViews(ApiError):
    """409: somebody has saved as many views as there may be."""

    status = HTTPStatus.CONFLICT
    code = "too_many_views"


class UnknownCapacity(ApiError):
    """404: the catalog has no capacity of that name."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_capacity"


class UnknownSilo(ApiError):
    """404: the catalog has no such silo."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_silo"


class SiloConflict(ApiError):
    """409: what is wanted of a silo does not fit what there is."""

    status = HTTPStatus.CONFLICT
    code = "silo_conflict"


class FalloutClaimed(ApiError):
    """409: somebody else sees to it."""

    status = HTTPStatus.CONFLICT
    code = "fallout_claimed"


class FalloutOver(ApiError):
    """409: nobody is needed for it any more."""

    status = HTTPStatus.CONFLICT
    code = "fallout_over"


class UnknownWorkItem(ApiError):
    """404: there is no such work item, or the caller may not see it."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_work_item"


class WorkItemClaimed(ApiError):
    """409: somebody else has it."""

    status = HTTPStatus.CONFLICT
    code = "work_item_claimed"


class WorkItemOver(ApiError):
    """409: nobody is to do it any more."""

    status = HTTPStatus.CONFLICT
    code = "work_item_over"


class WorkItemChanged(ApiError):
    """409: its order has asked for something else meanwhile."""

    status = HTTPStatus.CONFLICT
    code = "work_item_changed"


class UnknownJob(ApiError):
    """404: there is no such job."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_job"


class NothingFits(ApiError):
    """409: a job would be over no order at all."""

    status = HTTPStatus.CONFLICT
    code = "nothing_fits"


class PreviewOutdated(ApiError):
    """409: a job would be over other orders than those that were previewed."""

    status = HTTPStatus.CONFLICT
    code = "preview_outdated"


class NotInCatalog(ApiError):
    """404: the current catalog has no such offering or specification."""

    status = HTTPStatus.NOT_FOUND
    code = "not_in_catalog"


class UnknownSubscription(ApiError):
    """404: there is no such subscription, or it is somebody else's."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_subscription"


class SubscriptionRefused(ApiError):
    """409: in conflict with the subscriptions that there are."""

    status = HTTPStatus.CONFLICT
    code = "subscription_refused"


class UnknownChange(ApiError):
    """404: no such change was ever asked for of the order."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_change"


class ExternalIdReused(ApiError):
    """409: the channel used this external id for another order."""

    status = HTTPStatus.CONFLICT
    code = "external_id_reused"


class IdempotencyKeyReused(ApiError):
    """409: the id or key names another request for a change of this order."""

    status = HTTPStatus.CONFLICT
    code = "idempotency_key_reused"


class OrderNotOver(ApiError):
    """409: only what holds nothing any more, or never did, can be deleted."""

    status = HTTPStatus.CONFLICT
    code = "order_not_over"


class OrderDeleted(ApiError):
    """409: the channel used this external id for an order that was deleted since. It stays taken."""

    status = HTTPStatus.CONFLICT
    code = "order_deleted"


class PatchConflict(ApiError):
    """409: the operations of a JSON patch do not fit the order as it is now."""

    status = HTTPStatus.CONFLICT
    code = "patch_conflict"


class ChangeRefused(ApiError):
    """409: what is asked for cannot be had any more, or not at that price. Every detail has its code."""

    status = HTTPStatus.CONFLICT
    code = "change_refused"

    def __init__(self, reasons: Iterable[Reason], fees: Iterable[Money] = ()) -> None:
        found = tuple(reasons)
        message = "; ".join(reason.message for reason in found)
        super().__init__("The order cannot be changed like that", message, map(_of_reason, found))
        self.fees = tuple(fees)


class Outdated(ApiError):
    """412: the order is not at the revision that the header If-Match names."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "outdated"


class OrderClosed(ApiError):
    """409: the order has ended, nothing about it can change any more."""

    status = HTTPStatus.CONFLICT
    code = "order_closed"


class OrderCompleted(OrderClosed):
    """409: the order is completed. What is to be different now takes another order."""

    code = "order_completed"


class Unavailable(ApiError):
    """503: what is needed for an answer does not answer now. The same request may be sent again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    headers = {"Retry-After": "2"}


class Busy(Unavailable):
    """503: too much is asked for at once."""

    code = "busy"


class TooMuchWork(ApiError):
    """400: an answer takes longer to work out than anybody is given."""

    status = HTTPStatus.BAD_REQUEST
    code = "too_much_work"


class CatalogNotKept(ApiError):
    """503: the catalog version that an order was sold from is not here any more. Somebody has to put it back."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "catalog_not_kept"


def problem(path: str, message: str) -> Detail:
    """Something malformed at a JSON path such as `productOrderItem[0].action`."""
    return Detail(code=MALFORMED, path=path, message=message)


def problems(error: ValidationError | RequestValidationError, below: str = "") -> list[Detail]:
    """What pydantic found, each with its JSON path; `below` is the path of what was validated."""
    found = telling(error.errors())[:MOST_DETAILS]
    return [problem(_path(detail, below), in_words(detail)) for detail in found]


def _path(detail: ErrorDetails, below: str) -> str:
    match detail["type"]:
        case "json_invalid":  # What is no JSON has no paths: the place in it is a character.
            return "body"
        case "recursion_loop":
            return json_path(detail["loc"][:_DEEPEST], below)
        case _:
            return json_path(detail["loc"], below)


def json_path(location: Sequence[str | int], below: str = "") -> str:
    """`("body", "productOrderItem", 0, "action")` as `productOrderItem[0].action`."""
    path = below
    for part in location[1:] if location[:1] == ("body",) else location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path or "body"


def _of_reason(reason: Reason) -> Detail:
    return Detail(code=reason.code, message=reason.message, item=reason.item)
