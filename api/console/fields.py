"""From an address or a form to what the care API takes: what was left empty is not asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from api.console.page import Page
from api.errors import Detail, Malformed, problems

_Asked = TypeVar("_Asked", bound=BaseModel)


def asked_in_address(
    page: Page, what: type[_Asked], several: tuple[str, ...] = (), without: tuple[str, ...] = (), **more: object
) -> tuple[_Asked | None, tuple[Detail, ...]]:
    """What the address of a list asks for; or None, and what is wrong with it.

    Fields of `several` may come twice; those of `without` are the page's own.
    """
    given: dict[str, Any] = {**more}
    for name, value in page.request.query_params.multi_items():
        if not value.strip() or name in without:
            continue
        if name in several:
            given.setdefault(name, []).append(value)
        else:
            given[name] = value.strip()
    try:
        return what.model_validate(given), ()
    except ValidationError as error:
        return None, tuple(problems(error))


def text_of(form: FormData) -> dict[str, str]:
    """The fields of a form that were filled in."""
    return {name: value.strip() for name, value in form.items() if isinstance(value, str) and value.strip()}


def body_of(what: type[_Asked], given: Mapping[str, object]) -> _Asked:
    """A body as a program would send it.

    Raises:
        Malformed: naming every field that is wrong.
    """
    try:
        return what.model_validate(given)
    except ValidationError as error:
        raise Malformed(problems(error)) from error
