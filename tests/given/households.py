"""Order bodies of households, as a web shop would send them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

PLACE = {
    "id": "site-1",
    "role": "installationAddress",
    "@type": "GeographicAddress",
    "streetName": "Lindenweg",
    "streetNr": "7",
    "postcode": "12345",
    "city": "Musterstadt",
}


def item(item_id: str, offering: str, relies_on: str | None = None, **characteristics: Any) -> dict[str, Any]:
    """One order item at the household's site."""
    body: dict[str, Any] = {
        "id": item_id,
        "action": "add",
        "productOffering": {"id": offering},
        "product": {
            "place": [PLACE],
            "productCharacteristic": [{"name": name, "value": value} for name, value in characteristics.items()],
        },
    }
    if relies_on:
        body["productOrderItemRelationship"] = [{"id": relies_on, "relationshipType": "reliesOn"}]
    return body


def order(*items: dict[str, Any], channel: str = "web", **attributes: Any) -> dict[str, Any]:
    """An order of some items under a new external id."""
    return {
        "externalId": f"test-{uuid4().hex[:12]}",
        "channel": [{"id": channel}],
        "relatedParty": [{"id": "cust-1", "role": "customer", "@referredType": "Customer"}],
        "productOrderItem": list(items),
        **attributes,
    }


def phone_number() -> str:
    """A telephone number that nobody else has: an order that an earlier test left in flight may have taken another."""
    return f"+4930{uuid4().int % 10**8:08d}"


def internet_voice_tv(number: str | None = "", **internet: Any) -> dict[str, Any]:
    """Internet at 200 Mbit/s with a shipped router, a voice line and TV Basic, all on the internet item `net`.

    The line has a number of its own unless one is given; with None the silo draws one.
    """
    voice = {"number": number or phone_number()} if number is not None else {}
    return order(
        item("net", "fibre-flex", down_mbps=200, **internet),
        item("voice", "voice-line", relies_on="net", **voice),
        item("tv", "tv-basic", relies_on="net"),
    )
