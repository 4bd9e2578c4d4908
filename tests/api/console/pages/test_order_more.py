"""More is ordered for a customer, what is installed changed and ceased, by forms that fit; errors at their fields."""

from __future__ import annotations

import html
import re
from typing import Any

from api.access.principal import Scope
from tests.api.console.conftest import Console, Person
from tests.api.console.pages.test_orders import fields_of, text_of
from tests.given.households import PLACE
from tests.given.installed import Household, household
from tests.running.pipe import Pipe


async def seller(console: Console) -> Person:
    return await console.person(Scope.CARE, Scope.SUBMIT)


def wrong_in(page: str) -> dict[str, str]:
    """What a page says is wrong, by the name of the field."""
    found = re.findall(r'name="([^"]+)"[^>]*aria-invalid="true" aria-describedby="([^"]+)"', page)
    return {html.unescape(name): said(page, place) for name, place in found}


def said(page: str, place: str) -> str:
    [words] = re.findall(rf'id="{place}" role="alert" lang="en">([^<]*)<', page)
    return html.unescape(words)


async def ordered(pipe: Pipe, agent: Person, page: str, **more: str) -> dict[str, Any]:
    """The order that a form makes, as TMF622 tells it."""
    done = await agent.post("/order", {**fields_of(page, "/console/order"), **more})
    assert done.status_code == 303, text_of(done.text)
    order_id = done.headers["location"].removeprefix("/console/orders/")
    return (await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))).json()


def form_in(page: str) -> str:
    """The form that is posted, of the two that a page has."""
    return page[page.index('<form class="panel stack"') :]


async def test_an_agent_orders_more_by_a_form_that_fits_the_offering(pipe: Pipe, console: Console) -> None:
    agent, home = await seller(console), await household(pipe)
    assert f"/console/order?customer={home.customer}" in await agent.page(f"/customers/{home.customer}")
    assert "triple-play-500" in await agent.page(f"/order?customer={home.customer}")
    page = form_in(await agent.page(f"/order?customer={home.customer}&offering=mobile-s"))
    assert '"esim"' in html.unescape(page)
    wrong = await agent.post("/order", {**fields_of(page, "/console/order"), "characteristic.number": "none"})
    assert wrong.status_code == 400
    assert "does not have the form" in wrong_in(wrong.text)["characteristic.number"]
    given = {"characteristic.sim_type": '"esim"', "channel": "call-centre"}
    order = await ordered(pipe, agent, page, **given)
    assert order["channel"] == [{"id": "call-centre"}] or order["channel"][0]["id"] == "call-centre"
    assert order["relatedParty"][0]["id"] == home.customer
    [item] = order["productOrderItem"]
    assert (item["action"], item["productOffering"]["id"]) == ("add", "mobile-s")
    again = await ordered(pipe, agent, page, **given)  # Sent twice, it is one order.
    assert again["id"] == order["id"]


async def test_what_is_installed_at_a_site_needs_one(pipe: Pipe, console: Console) -> None:
    agent, home = await seller(console), await household(pipe)
    page = form_in(await agent.page(f"/order?customer={home.customer}&offering=tv-basic"))
    assert 'value="site-1"' in page  # The only one that the customer has.
    missing = await agent.post("/order", {**fields_of(page, "/console/order"), "site": ""})
    assert missing.status_code == 400
    assert wrong_in(missing.text) == {"site": "is needed: it is installed at a site"}
    address = {name: str(PLACE[name]) for name in ("streetName", "streetNr", "postcode", "city")}
    rejected = await agent.post("/order", {**fields_of(page, "/console/order"), "site": "site-9", **address})
    assert rejected.status_code == 400
    assert "The order was rejected" in text_of(rejected.text)


async def test_of_a_site_that_the_customer_has_its_id_is_enough(pipe: Pipe, console: Console) -> None:
    agent, home = await seller(console), await household(pipe)
    page = form_in(await agent.page(f"/order?customer={home.customer}&offering=tv-basic"))
    relied = {"site": "site-1", "reliesOn": home.product("net")}
    [item] = (await ordered(pipe, agent, page, **relied))["productOrderItem"]
    [place] = item["product"]["place"]  # A technician needs more.
    assert {name: place.get(name) for name in ("id", "streetName", "city")} == {
        "id": "site-1",
        "streetName": PLACE["streetName"],
        "city": PLACE["city"],
    }


async def test_what_is_installed_is_changed_and_ceased(pipe: Pipe, console: Console) -> None:
    agent, home = await seller(console), await household(pipe)
    product = home.product("net")
    assert f"&amp;product={product}" in await agent.page(f"/customers/{home.customer}")
    page = form_in(await agent.page(f"/order?customer={home.customer}&product={product}"))
    same = await agent.post("/order", fields_of(page, "/console/order"))
    assert (same.status_code, "nothing in it is to be different" in same.text) == (400, True)
    many = await agent.post("/order", {**fields_of(page, "/console/order"), "characteristic.down_mbps": "many"})
    assert wrong_in(many.text) == {"characteristic.down_mbps": "must be a whole number"}
    changed = await ordered(pipe, agent, page, **{"characteristic.down_mbps": "300"})
    await home.ends(changed["id"], "completed")
    assert home.installed()["net"].characteristics["down_mbps"] == 300
    tv = home.product("tv")
    page = form_in(await agent.page(f"/order?customer={home.customer}&product={tv}"))
    ceased = await ordered(pipe, agent, page, do="cease")
    await home.ends(ceased["id"], "completed")
    assert home.installed()["tv"].status == "terminated"


async def test_only_who_may_submit_orders_orders_more(pipe: Pipe, console: Console) -> None:
    home: Household = await household(pipe)
    for scopes in ((Scope.CARE,), (Scope.LOOK, Scope.SUBMIT)):
        person = await console.person(*scopes)
        assert "/console/order?" not in await person.page(f"/customers/{home.customer}")
        assert (await person.get(f"/order?customer={home.customer}")).status_code == 403
        assert (await person.post("/order", {"customer": home.customer})).status_code == 403
    agent = await seller(console)
    assert (await agent.get("/order?customer=nobody")).status_code == 404
    assert (await agent.get(f"/order?customer={home.customer}&product=other.1")).status_code == 400
    assert (await agent.get(f"/order?customer={home.customer}&offering=no-such")).status_code == 400
