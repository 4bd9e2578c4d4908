"""What the verdict on a change means for an answer, and for which revision of an order a change may be asked for."""

from __future__ import annotations

from typing import TypeGuard

from api.errors import ChangeRefused, Outdated
from orders.change.request import ChangeState, Verdict
from orders.read_model.views import OrderView


def is_decided(verdict: Verdict | None) -> TypeGuard[Verdict]:
    """True for a verdict that is there and final: the change is not assessed any more."""
    return verdict is not None and verdict.state is not ChangeState.ASSESSING


def require_granted(verdict: Verdict | None) -> None:
    """Return if a change was granted, or is still to be decided.

    Raises:
        ChangeRefused: if it was rejected, or a cancellation has superseded it.
    """
    if verdict is not None and verdict.state in (ChangeState.REJECTED, ChangeState.SUPERSEDED):
        raise ChangeRefused(verdict.reasons)


def etag(view: OrderView) -> str:
    """The order's revision, as the header ETag. What a patch depends on is what was asked for, not how far it is."""
    return f'"{view.revision}"'


def require_match(if_match: str | None, view: OrderView) -> None:
    """Return if an order is at a revision that the header If-Match names, or that names none.

    Raises:
        Outdated: if it is not.
    """
    if if_match is not None and if_match != "*" and etag(view) not in (tag.strip() for tag in if_match.split(",")):
        raise Outdated(f"The order is at revision {view.revision}", f"If-Match names {if_match}")
