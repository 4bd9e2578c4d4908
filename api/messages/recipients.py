"""To whom a message goes, by what, and in which language: as the customer wants, as the order says, or as usual."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from pydantic import JsonValue

from catalog_loader.messages.book import MessageBook
from orders.model.messaging import Language, Medium, Topic
from orders.news.preferences import Preferences
from orders.read_model.views import OrderView

_EMAIL: Final = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+", re.ASCII)
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()/-]{3,30}", re.ASCII)
_EMAIL_NAMES: Final = ("emailAddress", "email")
_PHONE_NAMES: Final = ("phoneNumber", "phone")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message goes to. `address` is the customer's id where the operator's own system has the rest."""

    medium: Medium
    address: str
    language: Language
    name: str


class Nobody(Exception):
    """Nobody is to get a message, or can: says why, for people."""


def recipient_of(
    order: OrderView, topic: Topic, preferences: Preferences, book: MessageBook, media: Set[Medium]
) -> Recipient:
    """Whom a message about an order goes to, given the media that there are.

    The order's own contact comes before the customer's, who may order for somebody else.

    Raises:
        Nobody: if nobody gets it.
    """
    if topic in preferences.not_about:
        raise Nobody("The customer does not want to hear of this")
    usual = book.rules.of_channel(order.channel)
    if Medium.NONE in (preferences.medium, preferences.medium or usual.medium):
        raise Nobody("The customer does not want to be told" if preferences.medium else "The channel tells them itself")
    contact = _contact(order.body)
    addresses = _addresses(order, preferences, contact)
    wanted = preferences.medium or _medium_for(contact) or usual.medium
    language = book.language_for(preferences.language, order.channel)
    name = _name(order)
    for medium in dict.fromkeys([wanted, usual.medium, Medium.EMAIL, Medium.SMS]):
        if medium in media and (address := addresses.get(medium)):
            return Recipient(medium, address, language, name)
    raise Nobody("No address is known, or none that there is a way to")


def _addresses(order: OrderView, preferences: Preferences, contact: str) -> Mapping[Medium, str]:
    party = _customer(order)
    email = contact if _medium_for(contact) is Medium.EMAIL else preferences.email or _named(party, _EMAIL_NAMES)
    phone = contact if _medium_for(contact) is Medium.SMS else preferences.phone or _named(party, _PHONE_NAMES)
    return {
        Medium.EMAIL: email if _EMAIL.fullmatch(email) else "",
        Medium.SMS: phone if _PHONE.fullmatch(phone) else "",
        Medium.SYSTEM: order.customer_id,
    }


def _contact(body: Mapping[str, JsonValue] | None) -> str:
    """TMF622's `notificationContact`."""
    contact = (body or {}).get("notificationContact")
    return contact.strip().removeprefix("mailto:").removeprefix("tel:") if isinstance(contact, str) else ""


def _medium_for(contact: str) -> Medium | None:
    if _EMAIL.fullmatch(contact):
        return Medium.EMAIL
    return Medium.SMS if _PHONE.fullmatch(contact) else None


def _customer(order: OrderView) -> Mapping[str, Any]:
    """The party that the order is for, as it is written there."""
    parties = (order.body or {}).get("relatedParty")
    listed = [each for each in parties if isinstance(each, dict)] if isinstance(parties, list) else []
    return next((party for party in listed if party.get("id") == order.customer_id), listed[0] if listed else {})


def _name(order: OrderView) -> str:
    name = _customer(order).get("name")
    return name if isinstance(name, str) else ""


def _named(part: JsonValue | Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first text of such a name, at any depth: parties have their contacts in several forms."""
    return next(_texts(part, names), "")


def _texts(part: Any, names: tuple[str, ...]) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _texts(each, names)
    elif isinstance(part, Mapping):
        for name, value in part.items():
            if name in names and isinstance(value, str):
                yield value.strip()
            else:
                yield from _texts(value, names)
