"""Large bodies are read and checked beside the event loop, in a process: others are answered meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from api.errors import Malformed, problem, problems
from api.http.dependencies import provided
from api.working import SMALL_BYTES, in_products


class LargeBodies(APIRoute):
    """A route that takes large bodies, of a model.

    FastAPI reads and checks bodies on the event loop. It is given what was read and checked before: a model, which it
    takes as it is.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, which finds large bodies read."""
        handle = super().get_route_handler()
        kind: Any = self.body_field.field_info.annotation if self.body_field is not None else None
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return handle

        async def beside(request: Request) -> Response:
            raw = await request.body()
            if len(raw) > SMALL_BYTES and "json" in request.headers.get("content-type", ""):
                workshop = provided(request).workshop
                request._json = await workshop.run(in_products(len(raw)), _read, kind, raw)  # pyright: ignore
            return await handle(request)

        return beside


def _read(kind: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        return kind.model_validate(json.loads(raw))
    except ValidationError as error:
        raise Malformed(problems(error)) from error
    except (ValueError, RecursionError) as error:
        raise Malformed([problem("body", str(error))]) from error
