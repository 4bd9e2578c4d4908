"""The orders that are measured, as TMF622 bodies, each under an external id of its own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from settings import ROOT

EXAMPLES = ROOT / "examples" / "orders"
VPN_SITES = 50
LINES = 20

Body = dict[str, Any]
"""A `ProductOrder_Create` body, as JSON."""


@dataclass(frozen=True)
class Kind:
    """A kind of order: how a body of it is made from a running number, and how many orders make up a block.

    `aim` is what orderpipe should do of the bare workflow's orders per second.
    """

    name: str
    title: str
    make: Callable[[int], Body]
    orders: int
    in_flight: int
    aim: float = 0.9

    def fewer(self, divisor: int) -> Kind:
        """The same kind, in blocks of so many times fewer orders, but of one at least."""
        orders = max(1, self.orders // divisor)
        return replace(self, orders=orders, in_flight=min(self.in_flight, orders))


_numbers: Iterator[int] = itertools.count(1)


def new_body(kind: Kind) -> Body:
    """An order of that kind that was not submitted before."""
    number = next(_numbers)
    return {**kind.make(number), "externalId": f"bench-{number}"}


def mobile(number: int) -> Body:
    """A mobile subscription with an eSIM, the number kept."""
    body = _example("mobile")
    for characteristic in body["productOrderItem"][0]["product"]["productCharacteristic"]:
        if characteristic["name"] == "number":
            characteristic["value"] = f"+49152{number:08d}"
    return body


def mobile_lines(lines: int) -> Callable[[int], Body]:
    """So many mobile subscriptions in one order, each with its number."""

    def make(number: int) -> Body:
        body = mobile(number * lines)
        [line] = body["productOrderItem"]
        body["productOrderItem"] = [
            {**mobile(number * lines + n)["productOrderItem"][0], "id": f"{line['id']}-{n}"} for n in range(lines)
        ]
        return body

    return make


def triple_play(_: int) -> Body:
    """Internet, voice and TV, with a technician's visit and a parcel."""
    return _example("triple-play")


def business_vpn(sites: int) -> Callable[[int], Body]:
    """A VPN over so many sites: five tasks for each of them, and five for the whole."""

    def make(_: int) -> Body:
        body = _example("business-vpn")
        core, site = body["productOrderItem"][:2]
        body["productOrderItem"] = [core, *(_site(site, n) for n in range(1, sites + 1))]
        return body

    return make


KINDS = (
    Kind("mobile", "mobile (eSIM)", mobile, orders=120, in_flight=30, aim=0.85),
    Kind("mobile_lines", f"{LINES} mobile lines", mobile_lines(LINES), orders=20, in_flight=6),
    Kind("triple_play", "triple play", triple_play, orders=80, in_flight=30),
    Kind(
        "business_vpn",
        f"business VPN, {VPN_SITES} sites",
        business_vpn(VPN_SITES),
        orders=20,
        in_flight=4,
        aim=1.8,
    ),
)


def _site(template: Body, number: int) -> Body:
    site = deepcopy(template)
    site["id"] = f"site-{number}"
    site["product"]["place"][0]["id"] = f"place-{number}"
    return site


def _example(name: str) -> Body:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
