"""Fifty orders of mixed kinds with what customers do to them while they run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import body_of

_PHONE_NUMBER = re.compile(r"\+49\d+")


class Moment(Enum):
    """When a change is asked for."""

    AT_ONCE = "right after the order, during its first silo calls"
    AWAITING = "while technicians and parcels are awaited"
    LATE = "when the technicians were there, while the last lines are activated and parcels are awaited"


@dataclass(frozen=True)
class Story:
    """An order, and the changes to it."""

    body: dict[str, Any]
    changes: list[tuple[Moment, dict[str, Any]]] = field(default_factory=list)

    @property
    def has_tv(self) -> bool:
        """True where television is ordered, and stays so."""
        return "tv" in str(self.body) and not any(change["kind"] == "cancel" for _, change in self.changes)


class _Numbers:
    """Telephone numbers, each given out once."""

    def __init__(self) -> None:
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"+49309{self._count:06d}"

    def renewed(self, body: dict[str, Any]) -> dict[str, Any]:
        return json.loads(_PHONE_NUMBER.sub(lambda _: self.next(), json.dumps(body)))


def stories() -> Iterator[Story]:
    """Fifty stories. No two ask for the same telephone number."""
    numbers = _Numbers()
    at_once, awaiting, late = Moment.AT_ONCE, Moment.AWAITING, Moment.LATE

    def household(*changes: tuple[Moment, dict[str, Any]], **internet: Any) -> Story:
        return Story(internet_voice_tv(number=None, **internet), list(changes))

    def example(name: str, *changes: tuple[Moment, dict[str, Any]]) -> Story:
        return Story(numbers.renewed(body_of(name)), list(changes))

    yield household()
    net = item("net", "fibre-flex", down_mbps=200)
    voice, tv = item("voice", "voice-line", relies_on="net"), item("tv", "tv-basic", relies_on="net")
    for moment in Moment:
        yield Story(order(net), [(moment, speed(800))])
        yield Story(order(net), [(moment, update("net", technology="xgs-pon"))])
        yield Story(order(net, tv), [(moment, pack("tv-sport"))])
        yield Story(order(net, voice), [(moment, update("voice", number=numbers.next()))])
        yield household((moment, moved("net", "tv")), installation="self")
        yield household((moment, CANCEL), installation="self" if moment is late else "technician")
    yield household((awaiting, amend(remove=["tv"])), (late, amend(add=[item("tv2", "tv-cinema", relies_on="net")])))
    yield household((late, amend(remove=["voice"])))
    yield household((late, amend(add=[item("voice2", "voice-line", relies_on="net")])))
    yield household((awaiting, update("net", equipment="own")))
    yield household((at_once, speed(400)), (awaiting, pack("tv-sport")), (late, speed(600)), (late, pack("tv-basic")))
    yield household((awaiting, update("net", technology="xgs-pon")), (late, update("net", technology="gpon")))
    yield household((late, update("voice", number=numbers.next())), (late, CANCEL), installation="self")
    yield household((awaiting, moved("net", "tv")))
    yield household((at_once, amend(remove=["tv", "voice"])), (at_once, CANCEL))

    yield example("triple-play")
    yield example("triple-play", (late, amend(update=[{"id": "1.tv", "offering": "tv-cinema"}])))
    yield example("triple-play", (awaiting, amend(update=[TO_500, {"id": "1.internet", "offering": "fibre-500"}])))
    yield example("triple-play", (late, CANCEL))  # Refused where the technician was there already.
    yield example("quad-play")
    yield example("quad-play", (late, amend(update=[{"id": "1.mobile", "offering": "mobile-s"}])))
    yield example("voice-on-fibre", (late, amend(update=[{"id": "1", "offering": "fibre-1000"}])))
    yield example("fibre-only")
    yield example("mobile")
    yield example("mobile", (at_once, amend(update=[{"id": "1", "offering": "mobile-l"}])))
    yield example("mobile", (at_once, CANCEL))
    yield example("mobile-family", (awaiting, amend(update=[{"id": "1", "quantity": 2}])))
    yield example("mobile-family", (at_once, amend(update=[{"id": "1", "quantity": 4}])))
    yield example("mobile-family", (awaiting, CANCEL))
    yield example("phone-with-mobile", (awaiting, update("1", colour="blue")))
    yield example("phone-with-mobile", (awaiting, amend(remove=["2"])))
    yield example("retail-device", (awaiting, amend(update=[{"id": "1", "offering": "tablet-solstice"}])))
    yield example("retail-trade-in")
    yield example("retail-trade-in", (awaiting, update("1", trade_in_model="aurora-1")))
    yield example("retail-trade-in", (late, update("1", trade_in=False)))
    yield example("business-vpn", (awaiting, amend(remove=["site-2", "site-4"])))
    yield example("business-vpn", (late, update("core", address_plan="ipv6")))


CANCEL = {"kind": "cancel", "reason": "changed their mind"}
TO_500 = {"id": "1", "offering": "triple-play-500"}


def amend(**what: Any) -> dict[str, Any]:
    """A change that amends."""
    return {"kind": "amend", **what}


def update(item_id: str, **characteristics: Any) -> dict[str, Any]:
    """A change of an item's characteristics."""
    return amend(update=[{"id": item_id, "characteristics": characteristics}])


def speed(down_mbps: int) -> dict[str, Any]:
    """A change of a household's download rate."""
    return update("net", down_mbps=down_mbps)


def pack(offering: str) -> dict[str, Any]:
    """A change of a household's TV pack."""
    return amend(update=[{"id": "tv", "offering": offering}])


def moved(*items: str) -> dict[str, Any]:
    """A change of address."""
    place = {"id": "site-9", "role": "installationAddress", "streetName": "Kastanienweg", "streetNr": "9"}
    return amend(update=[{"id": each, "place": place} for each in items])
