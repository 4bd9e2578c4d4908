"""Events: who hears of what, how their subscriptions fare, and what did not get through, to be sent again."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from api.access.principal import Scope
from api.console.fields import text_of
from api.console.page import CONSOLE, FormDep, PageDep, in_path
from api.errors import Malformed, UnknownSubscription, problem
from api.http.dependencies import Operator, SubscribersDep, needs
from api.routes import hub
from orders.model.writing.text import NO_NUL

router = APIRouter(prefix="/events", dependencies=[needs(Scope.OPERATE)])

_AT_ONCE: Final = 50
_Id = Annotated[str, Path(max_length=100, pattern=NO_NUL)]


@router.get("")
async def events(page: PageDep, subscribers: SubscribersDep, operator: Operator) -> Response:
    """Every subscription, those with something that did not get through first."""
    told = await hub.listed(operator, subscribers)
    return page.show("events.html", subscriptions=sorted(told, key=lambda each: (-each.parked, -each.pending)))


@router.get("/{subscription_id}")
async def subscription(
    page: PageDep,
    subscription_id: _Id,
    subscribers: SubscribersDep,
    operator: Operator,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:
    """One subscription, with what did not get through to it, and why."""
    told = [each for each in await hub.listed(operator, subscribers) if each.id == subscription_id]
    if not told:
        raise UnknownSubscription(f"There is no subscription {subscription_id}")
    parked = await hub.parked(subscription_id, operator, subscribers, offset, _AT_ONCE)
    following = offset + len(parked)
    return page.show(
        "subscription.html",
        subscription=told[0],
        parked=parked,
        offset=offset,
        following=following if parked and following < told[0].parked else None,
    )


@router.post("/{subscription_id}")
async def act(
    page: PageDep, subscription_id: _Id, form: FormDep, subscribers: SubscribersDep, operator: Operator
) -> Response:
    """Have what did not get through sent again."""
    if text_of(form).get("do") != "retry":
        raise Malformed([problem("do", "is nothing that can be done with a subscription")])
    await hub.retry(subscription_id, operator, subscribers)
    return page.go(f"{CONSOLE}/events/{in_path(subscription_id)}")
