"""What routes ask of the app they stand in."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Path, Request

from api.errors import ErrorBody
from api.gateway import Gateway


def _gateway(request: Request) -> Gateway:
    return request.app.state.gateway


GatewayDep: TypeAlias = Annotated[Gateway, Depends(_gateway)]

OrderId: TypeAlias = Annotated[str, Path(max_length=200)]

Responses: TypeAlias = dict[int | str, dict[str, Any]]
"""FastAPI's own form of documented answers."""

_ERRORS = {
    400: "The body or a parameter is malformed, or the order can not be fulfilled; `details` says where and why",
    404: "There is no such order",
    409: "In conflict with what became of the order",
    503: "Temporal, or a worker, does not answer now; the same request may be sent again",
}


def errors(*statuses: int) -> Responses:
    """The documentation of error answers."""
    return {status: {"model": ErrorBody, "description": _ERRORS[status]} for status in statuses}
