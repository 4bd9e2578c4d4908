"""Random orders on what a first order has made: products are changed, moved, ended and added to."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.given.households import PLACE, item
from tests.soak.random_histories.orders import LATER
from tests.soak.script import Follower, Json

MOST = 4
_CANCELLED = 0.35
_HELD_BACK = 0.08
_IMPATIENT = 0.1
"""The chance that a follower does not wait: it is rejected where another has its turn."""

_NEW_PLACE = {**PLACE, "id": "site-9", "streetNr": "9"}
_CHANGES: dict[str, tuple[tuple[str, Any], ...]] = {
    "fibre": (("technology", "gpon"), ("technology", "xgs-pon"), ("equipment", "shipped"), ("equipment", "own")),
    "voice": (("number", ""),),
    "tv": (("equipment", "shipped"), ("equipment", "none"), ("installation", "technician")),
    "mobile": (("sim_type", "physical"), ("sim_type", "esim")),
    "phone": (("colour", "black"), ("colour", "blue")),
    "tablet": (("colour", "black"), ("colour", "blue")),
    "business-vpn-core": (("topology", "mesh"), ("address_plan", "ipv6")),
    "business-vpn-site": (("bandwidth_mbps", 50), ("bandwidth_mbps", 500)),
    "telephone-system": (("extensions", 5), ("extensions", 50), ("voicemail", True)),
    "building-connection": (("metres", 10), ("metres", 80)),
}
_OFFERINGS = {
    "fibre": ("fibre-100", "fibre-500"),
    "tv": ("tv-basic", "tv-sport", "tv-cinema"),
    "mobile": ("mobile-s", "mobile-m", "mobile-l"),
}
_PLACED = ("fibre", "business-vpn-site", "telephone-system")


def random_followers(choose: Random, order: Json) -> tuple[Follower, ...]:
    """Some orders on the products of a first one. They come soon after each other, so that most have to wait."""
    followers: list[Follower] = []
    after = 0
    for _ in range(choose.randint(2, MOST)):
        after += choose.choice((0, 0, 0, 1, 4))
        cancel = after + choose.choice((0, 0, 1, 3, 9)) if choose.random() < _CANCELLED else None
        followers.append(Follower(after=after, order=_order(choose, order), cancel_after=cancel))
    return tuple(followers)


def _order(choose: Random, first: Json) -> Json:
    things = list(_things(first["productOrderItem"]))
    chosen = choose.sample(things, min(len(things), choose.choice((1, 1, 2))))
    body: Json = {
        "externalId": "",
        "channel": [{"id": choose.choice(("web", "shop"))}],
        "relatedParty": first["relatedParty"],
        "productOrderItem": [_item(choose, str(number), thing) for number, thing in enumerate(chosen, start=1)],
    }
    if choose.random() > _IMPATIENT:
        body["waitForProducts"] = True
    if choose.random() < _HELD_BACK:
        body["requestedStartDate"] = LATER
    return body


def _things(items: list[Json]) -> Iterator[tuple[str, str]]:
    """Each product that is ordered, with its offering."""
    for each in items:
        for number in range(each.get("quantity", 1)):
            yield f"{{order}}.{each['id']}.{number + 1}", each["productOffering"]["id"]
        yield from _things(each.get("productOrderItem", []))


def _item(choose: Random, item_id: str, thing: tuple[str, str]) -> Json:
    """Something asked of an installed product. It may be impossible: what stands on it is not asked."""
    product, offering = thing
    kind = next((kind for kind in _CHANGES if offering.startswith(kind)), None)
    if kind is None or choose.random() < 0.15:
        return {"id": item_id, "action": "delete", "product": {"id": product}}
    if kind == "fibre" and choose.random() < 0.15:
        line = item(item_id, "voice-line")
        line["product"] = {"productRelationship": [{"relationshipType": "reliesOn", "product": {"id": product}}]}
        return line
    changed: Json = {"id": item_id, "action": "modify", "product": {"id": product}}
    if kind in _PLACED and choose.random() < 0.35:
        changed["product"]["place"] = [_NEW_PLACE]
    elif kind in _OFFERINGS and choose.random() < 0.4:
        changed["productOffering"] = {"id": choose.choice(_OFFERINGS[kind])}
    else:
        name, value = choose.choice(_CHANGES[kind])
        value = f"+4977{choose.randrange(10**9):09d}" if name == "number" else value
        changed["product"]["productCharacteristic"] = [{"name": name, "value": value}]
    return changed
