"""How errors are answered: all in the one form, those of the framework included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import ApiError, Detail, ErrorBody, Malformed, MoneyOut, problem, problems
from orders.model.values import Money

log = structlog.get_logger()


def answer(
    status: int,
    code: str,
    reason: str,
    message: str = "",
    details: Sequence[Detail] = (),
    headers: Mapping[str, str] = {},
    fees: Iterable[Money] = (),
) -> JSONResponse:
    """An error as an HTTP answer."""
    body = ErrorBody(
        code=code,
        reason=reason,
        message=message,
        status=str(int(status)),
        details=tuple(details) or None,
        fee=tuple(MoneyOut(unit=fee.currency, value=float(fee.amount)) for fee in fees) or None,
    )
    return JSONResponse(body.model_dump(by_alias=True, exclude_none=True), int(status), headers=dict(headers))


def error_response(error: ApiError) -> JSONResponse:
    """An error of ours as an HTTP answer."""
    return answer(error.status, error.code, error.reason, error.message, error.details, error.headers, error.fees)


def install(app: FastAPI) -> None:
    """Have every error of an app answered in the one form, those of the framework included."""

    @app.exception_handler(ApiError)
    async def ours(request: Request, error: ApiError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        if request.method == "POST" and "json" not in request.headers.get("content-type", ""):
            return error_response(Malformed([problem("body", "must be sent as content-type application/json")]))
        return error_response(Malformed(problems(error)))

    @app.exception_handler(HTTPException)
    async def of_the_framework(request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        code = phrase.lower().replace(" ", "_")
        message = error.detail if error.detail != phrase else f"{request.method} {request.url.path}"
        return answer(error.status_code, code, phrase, message, headers=error.headers or {})

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("unforeseen error", method=request.method, path=request.url.path, exc_info=error)
        return answer(
            500, "internal", "Something unforeseen went wrong", "It was logged; the same request may be tried again"
        )
