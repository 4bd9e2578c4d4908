"""Random orders of the shipped catalog's offerings, and random amendments of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeAlias

from orders.model.instants import instant
from tests.given.households import PLACE, item
from tests.soak.script import Json

KEEPERS = ("resource-inventory", "number-inventory", "warehouse", "access-network", "mobile-core")
"""Silos that may lose what they hold."""

FUTURE_DATED = 0.08
"""The chance that an order is to begin later: only a change of dates, or a cancellation, gets it on its way."""
EARLIER, LATER = instant(datetime.now(UTC)), "2099-01-05T09:00:00Z"
"""A date to start at once. One long past is refused, so a script with it can be played again for a day."""

_SITES = {name: {**PLACE, "id": f"site-{name}", "streetNr": name} for name in ("1", "2", "3")}
_TV = ("tv-basic", "tv-sport", "tv-cinema")
_MOBILE = ("mobile-s", "mobile-m", "mobile-l")
_DEVICES = ("phone-aurora", "phone-borealis", "tablet-solstice")
_FIBRE = ("fibre-100", "fibre-500", "fibre-1000")
_TASKS = {
    "net": "fibre-internet/reserve-port fibre-internet/activate-line fibre-internet/allocate-router",
    "voice": "voice-line/reserve-number voice-line/activate-line",
    "tv": "tv/activate-tv tv/start-billing",
    "mobile": "mobile/register-sim mobile/allocate-sim mobile/activate-subscription",
    "device": "retail-device/allocate-device",
    "core": "business-vpn-core/create-vpn",
    "site": "business-vpn-site/attach-site business-vpn-site/reserve-port",
    "pbx": "telephone-system/set-up-system telephone-system/start-billing",
    "building": "building-connection/obtain-permit building-connection/dig-trench",
}
_SILOS = {
    "net": "crm resource-inventory access-network warehouse shipping field-service billing",
    "voice": "number-inventory voice billing",
    "tv": "tv billing field-service",
    "mobile": "crm number-inventory warehouse mobile-core shipping billing",
    "device": "warehouse shipping trade-in billing",
    "core": "crm access-network billing",
    "site": "resource-inventory access-network field-service billing",
    "pbx": "old-pbx billing",
    "building": "field-service billing",
}
_ALONE = ("site", "pbx", "building")
"""What is moved by itself."""
_CALLS = {"net": 8, "voice": 3, "tv": 2, "mobile": 7, "device": 5, "core": 3, "site": 5, "pbx": 3, "building": 3}


@dataclass
class Line:
    """An order item as the script believes it to be, would every amendment so far have been accepted."""

    id: str
    kind: str
    offering: str
    site: str = "1"
    quantity: int = 1
    bundled: bool = False
    number: str | None = None


@dataclass
class Sale:
    """An order, and what amendments are made of."""

    order: Json
    lines: list[Line]
    numbers: Iterator[str]
    added: int = 0
    silos: list[str] = field(default_factory=list)
    calls: int = 0
    bundle: str | None = None

    def __post_init__(self) -> None:
        self.silos = sorted({silo for line in self.lines for silo in _SILOS[line.kind].split()} | {"crm"})
        self.calls = 3 + sum(_CALLS[line.kind] * line.quantity for line in self.lines)

    def tasks(self) -> list[str]:
        """Tasks that might be replaced, without the order's id."""
        return [f".{line.id}.1/{task}" for line in self.lines for task in _TASKS[line.kind].split()] or ["/none/none"]

    def amend(self, choose: Random, body: Json) -> None:
        """Put one more random thing into the body of an amendment."""
        named = {update["id"] for update in body.get("update", [])} | {*body.get("remove", [])}
        free = [line for line in self.lines if line.id not in named]
        if free and choose.random() < 0.8:
            choose.choice(_AMENDMENTS)(self, choose, choose.choice(free), body)
        elif free and self.bundle and self.bundle not in named and choose.random() < 0.5:
            bundle = choose.choice(("triple-play-1000", "quad-play-1000"))
            body.setdefault("update", []).append({"id": self.bundle, "offering": bundle})
        elif free and choose.random() < 0.1:
            body["priority"] = choose.randint(0, 4)
        else:
            _add(self, choose, body)

    def cancel_items(self, choose: Random) -> list[str]:
        """One or two items that are not wanted any more. All of an order cannot be cancelled so."""
        cancelled = choose.sample(self.lines, min(len(self.lines), choose.choice((1, 1, 2))))
        if len(cancelled) < len(self.lines):
            self.forget([line for line in cancelled if not line.bundled])
        return [line.id for line in cancelled]

    def forget(self, gone: list[Line]) -> None:
        """What is not wanted any more goes, with what is built on it. The last line stays."""
        kinds = {line.kind for line in gone}
        built_on = ("voice", "tv") * ("net" in kinds) + ("site",) * ("core" in kinds)
        self.lines = [line for line in self.lines if line not in gone and line.kind not in built_on] or self.lines[:1]

    def other_line(self, line: Line) -> Line | None:
        """Another telephone line with a number of its own."""
        return next((o for o in self.lines if o is not line and o.kind == line.kind and o.number and line.number), None)


def random_sale(choose: Random, seed: int) -> Sale:
    """An order of a customer of its own, who asks for numbers that nobody else asks for."""
    numbers = (f"+49{seed % 10**9:09d}{number:02d}" for number in range(100))
    make = choose.choice((_household, _household, _household, _bundle, _mobile, _shop, _vpn, _office))
    sale = make(choose, numbers)
    sale.order |= {
        "externalId": "",
        "channel": [{"id": choose.choice(("web", "shop", "partner"))}],
        "relatedParty": [{"id": f"cust-{seed}", "role": "customer", "@referredType": "Customer"}],
    }
    if choose.random() < FUTURE_DATED:
        sale.order["requestedStartDate"] = LATER
    return sale


def dates(choose: Random) -> Json:
    """What a change of dates may bring: another start or end, or an appointment at a site."""
    return choose.choice(
        (
            {"requestedStartDate": choose.choice((EARLIER, LATER))},
            {"requestedCompletionDate": LATER},
            {"appointments": [{"site": f"site-{choose.choice(list(_SITES))}", "start": LATER, "timeZone": "UTC"}]},
        )
    )


def _household(choose: Random, numbers: Iterator[str]) -> Sale:
    lines = [Line("net", "net", choose.choice(("fibre-flex", *_FIBRE)))]
    if choose.random() < 0.3:
        lines.append(Line("net2", "net", choose.choice(_FIBRE), site="2"))
    for number in range(choose.choice((0, 1, 1, 2))):
        with_number = choose.random() < 0.6
        lines.append(Line(f"voice{number}", "voice", "voice-line", number=next(numbers) if with_number else None))
    if choose.random() < 0.6:
        lines.append(Line("tv", "tv", choose.choice(_TV)))
    return _sale(choose, lines, numbers)


def _mobile(choose: Random, numbers: Iterator[str]) -> Sale:
    lines = [Line("sim", "mobile", choose.choice(_MOBILE), quantity=choose.choice((1, 1, 2, 3)))]
    if choose.random() < 0.3:
        lines.append(Line("phone", "device", choose.choice(_DEVICES)))
    return _sale(choose, lines, numbers)


def _shop(choose: Random, numbers: Iterator[str]) -> Sale:
    quantity = choose.choice((1, 1, 2))
    lines = [Line(f"d{number}", "device", choose.choice(_DEVICES), quantity=quantity) for number in range(quantity)]
    return _sale(choose, lines, numbers)


def _vpn(choose: Random, numbers: Iterator[str]) -> Sale:
    lines = [Line("core", "core", "business-vpn-core")]
    sites = choose.sample(list(_SITES), choose.randint(1, 3))
    lines += [Line(f"at-{site}", "site", "business-vpn-site", site=site) for site in sites]
    return _sale(choose, lines, numbers)


def _office(choose: Random, numbers: Iterator[str]) -> Sale:
    """What people are asked for (`manual`), and what an old system has that is spoken to by templates (`http`)."""
    lines = [Line("pbx", "pbx", "telephone-system", site=choose.choice(list(_SITES)))]
    if choose.random() < 0.7:
        lines.append(Line("building", "building", "building-connection"))
    return _sale(choose, lines, numbers)


def _bundle(choose: Random, numbers: Iterator[str]) -> Sale:
    offering = choose.choice(("triple-play-500", "triple-play-1000", "quad-play-1000"))
    lines = [
        Line("1.internet", "net", "fibre-100", bundled=True),
        Line("1.voice", "voice", "voice-line", bundled=True),
        Line("1.tv", "tv", choose.choice(_TV), bundled=True),
    ]
    if offering.startswith("quad"):
        lines.append(Line("1.mobile", "mobile", choose.choice(_MOBILE), bundled=True))
    bundle = item("1", offering)
    bundle["productOrderItem"] = [_ordered(choose, line, lines, numbers) for line in lines]
    return Sale({"productOrderItem": [bundle]}, lines, numbers, bundle="1")


def _sale(choose: Random, lines: list[Line], numbers: Iterator[str]) -> Sale:
    return Sale({"productOrderItem": [_ordered(choose, line, lines, numbers) for line in lines]}, lines, numbers)


def _ordered(choose: Random, line: Line, lines: list[Line], numbers: Iterator[str]) -> Json:
    """A TMF622 item."""
    given = {"number": line.number} if line.number else {}
    values = {**_values(choose, line, numbers, whole=True), **given}
    if line.kind == "voice" and not line.number:
        values.pop("number", None)
    base = {"voice": "net", "tv": "net", "site": "core"}.get(line.kind)
    relies_on = next((other.id for other in lines if other.kind == base), None) if not line.bundled else None
    body = item(line.id, line.offering, relies_on=relies_on, **values)
    body["quantity"] = line.quantity
    body["product"]["place"] = [_SITES[line.site]]
    if line.bundled or line.kind in ("mobile", "device", "core", "voice"):
        del body["product"]["place"]
    return body


def _values(choose: Random, line: Line, numbers: Iterator[str], *, whole: bool = False) -> dict[str, Any]:
    """Random characteristics: all that are required, or any."""
    either = choose.choice
    speed = {"down_mbps": either((50, 100, 200, 400, 800))} if line.offering == "fibre-flex" else {}
    options: dict[str, list[dict[str, Any]]] = {
        "net": [
            {"technology": either(("gpon", "xgs-pon"))},
            _installed(choose),
            {"equipment": either(("shipped", "own"))},
        ],
        "voice": [{"number": next(numbers)}],
        "tv": [_installed(choose), {"equipment": either(("none", "shipped"))}],
        "mobile": [{"sim_type": either(("physical", "esim"))}],
        "device": [
            {"colour": either(("black", "silver", "blue"))},
            {"equipment": either(("shipped", "collected"))},
            {"trade_in": either((True, False)), "trade_in_model": either(("aurora-1", "aurora-2"))},
        ],
        "core": [{"topology": either(("mesh", "hub-and-spoke"))}, {"address_plan": either(("ipv4", "ipv6"))}],
        "site": [{"bandwidth_mbps": either((50, 100, 500))}],
        "pbx": [{"extensions": either((5, 10, 50))}, {"voicemail": either((True, False))}],
        "building": [{"metres": either((10, 20, 80))}],
    }
    mine = options[line.kind] + ([speed] if speed else [])
    chosen = [part for part in mine if choose.random() < 0.6] if whole else [either(mine)]
    return {**(speed if whole else {}), **{name: value for part in chosen for name, value in part.items()}}


def _installed(choose: Random) -> dict[str, Any]:
    return {"installation": choose.choice(("technician", "self"))}


# Amendments


def _characteristics(sale: Sale, choose: Random, line: Line, body: Json) -> None:
    values = _values(choose, line, sale.numbers)
    if line.kind == "voice":
        line.number = values["number"]
    _update(body, line, characteristics=values)


def _move(sale: Sale, choose: Random, line: Line, body: Json) -> None:
    """To another site, with all that stands beside it there."""
    if line.kind not in ("net", "tv", *_ALONE) or line.bundled:
        return _characteristics(sale, choose, line, body)
    site = choose.choice(list(_SITES))
    along = [line] if line.kind in _ALONE else [each for each in sale.lines if each.kind in ("net", "tv")]
    named = {update["id"] for update in body.get("update", [])} | {*body.get("remove", [])}
    for each in along:
        if each.id not in named and each.site == line.site:
            each.site = site
            _update(body, each, place=_SITES[site])


def _remove(sale: Sale, choose: Random, line: Line, body: Json) -> None:
    if len(sale.lines) == 1 or line.bundled:
        return _characteristics(sale, choose, line, body)
    body.setdefault("remove", []).append(line.id)
    sale.forget([line])


def _quantity(sale: Sale, choose: Random, line: Line, body: Json) -> None:
    if line.kind not in ("mobile", "device") or line.bundled:
        return _characteristics(sale, choose, line, body)
    line.quantity = choose.randint(1, 3)
    _update(body, line, quantity=line.quantity)


def _offering(sale: Sale, choose: Random, line: Line, body: Json) -> None:
    others = {"net": _FIBRE[:2], "tv": _TV, "mobile": _MOBILE, "device": _DEVICES}.get(line.kind)
    if others is None:
        return _characteristics(sale, choose, line, body)
    line.offering = choose.choice(others)
    _update(body, line, offering=line.offering)


def _swap(sale: Sale, choose: Random, line: Line, body: Json) -> None:
    """Two lines take each other's numbers."""
    other = sale.other_line(line)
    if other is None or body.get("update"):
        return _characteristics(sale, choose, line, body)
    line.number, other.number = other.number, line.number
    for each in (line, other):
        _update(body, each, characteristics={"number": each.number})


def _add(sale: Sale, choose: Random, body: Json) -> None:
    kinds = {line.kind for line in sale.lines}
    beside = ["voice", "tv"] if "net" in kinds and not sale.bundle else []
    kind: str = choose.choice([*beside, *(["site"] if "core" in kinds else []), "mobile", "device"])
    sale.added += 1
    offering = {"tv": choose.choice(_TV), "mobile": choose.choice(_MOBILE), "device": choose.choice(_DEVICES)}
    offerings = {"voice": "voice-line", "site": "business-vpn-site", **offering}
    line = Line(f"more{sale.added}", kind, offerings[kind], site=choose.choice(list(_SITES)))
    if kind == "tv":
        line.site = next(each.site for each in sale.lines if each.kind == "net")
    sale.lines.append(line)
    body.setdefault("add", []).append(_ordered(choose, line, sale.lines, sale.numbers))


def _update(body: Json, line: Line, **what: Any) -> None:
    body.setdefault("update", []).append({"id": line.id, **what})


_Amendment: TypeAlias = Callable[[Sale, Random, Line, Json], None]

_AMENDMENTS: tuple[_Amendment, ...] = (_characteristics, _characteristics, _move, _remove, _quantity, _offering, _swap)
