"""What a change makes different for the customer, item by item, with what it costs a month and once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from pydantic import JsonValue

from orders.model.catalog import Catalog
from orders.model.order import Appointment, Item, Revision, Site
from orders.model.values import Action, Frozen, Money
from orders.model.writing.wording import ALTOGETHER, IN_A_LIST, Sentence, Wording, Words, joined, of_money, verbatim

_A_MONTH: Final = Sentence("{sum} a month")
_ONCE: Final = Sentence("{sum} once")


class Prices(Frozen):
    """What the catalog asks for, one sum for each currency. A component costs nothing beside its bundle's price."""

    month: tuple[Money, ...] = ()
    once: tuple[Money, ...] = ()

    @property
    def words(self) -> Words:
        """For people: empty, where it costs nothing."""
        told = [(self.month, _A_MONTH), (self.once, _ONCE)]
        return joined((how(sum=sum_of(sums)) for sums, how in told if sums), IN_A_LIST)


class ItemTerms(Frozen):
    """What an item gives the customer. `title` is that of its offering."""

    offering: str
    title: str
    quantity: int
    characteristics: dict[str, JsonValue]
    status: str
    site: Site | None = None
    appointment: Appointment | None = None
    prices: Prices = Prices()


class ItemDifference(Frozen):
    """An item that a change makes different: without `before` it is new, without `after` it goes."""

    item: str
    before: ItemTerms | None
    after: ItemTerms | None


class Comparison(Frozen):
    """The items that differ, and what the order costs in all, before and after."""

    items: tuple[ItemDifference, ...] = ()
    before: Prices = Prices()
    after: Prices = Prices()


def compared(before: Revision, after: Revision, catalog: Catalog | None) -> Comparison:
    """Two revisions of an order, sold from one catalog. Without that there are neither titles nor prices."""
    olds, news = (dict(_terms(revision, catalog)) for revision in (before, after))
    differing = [item for item in {**olds, **news} if olds.get(item) != news.get(item)]
    return Comparison(
        items=tuple(ItemDifference(item=item, before=olds.get(item), after=news.get(item)) for item in differing),
        before=_in_all(olds.values()),
        after=_in_all(news.values()),
    )


def sum_of(sums: Iterable[Money]) -> Words:
    """Sums of money for people."""
    return joined((of_money(money, f"{money.amount:.2f}") for money in sums), ALTOGETHER)


def _terms(revision: Revision, catalog: Catalog | None) -> Iterator[tuple[str, ItemTerms]]:
    made = {appointment.site: appointment for appointment in revision.appointments}
    by_id = revision.by_id()
    for item in revision.items:
        if item.action is Action.DELETE or item.context:
            continue
        offering = catalog.offerings.get(item.offering) if catalog is not None else None
        yield (
            item.id,
            ItemTerms(
                offering=item.offering,
                title=(offering.title if offering is not None else "") or item.offering,
                quantity=item.quantity,
                characteristics=item.characteristics,
                status=item.status.value,
                site=item.site,
                appointment=made.get(item.site.id) if item.site is not None else None,
                prices=_prices(item, catalog) if not _is_in_priced_bundle(item, by_id, catalog) else Prices(),
            ),
        )


def _prices(item: Item, catalog: Catalog | None) -> Prices:
    offering = catalog.offerings.get(item.offering) if catalog is not None else None
    prices = offering.prices if offering is not None else ()
    of_one = {
        period: [Money(amount=price.amount, currency=price.currency) for price in prices if price.period == period]
        for period in ("month", "once")
    }
    return Prices(month=_times(of_one["month"], item.quantity), once=_times(of_one["once"], item.quantity))


def _is_in_priced_bundle(item: Item, by_id: dict[str, Item], catalog: Catalog | None) -> bool:
    seen = {item.id}
    parent = by_id.get(item.parent or "")
    while parent is not None and parent.id not in seen:
        offering = catalog.offerings.get(parent.offering) if catalog is not None else None
        if offering is not None and offering.prices:
            return True
        seen.add(parent.id)
        parent = by_id.get(parent.parent or "")
    return False


def _in_all(terms: Iterable[ItemTerms]) -> Prices:
    listed = list(terms)
    return Prices(
        month=_times((money for each in listed for money in each.prices.month), 1),
        once=_times((money for each in listed for money in each.prices.once), 1),
    )


def _times(money: Iterable[Money], times: int) -> tuple[Money, ...]:
    sums: defaultdict[str, list[Money]] = defaultdict(list)
    for each in money:
        sums[each.currency].append(each)
    return tuple(
        Money(amount=times * sum((each.amount for each in those), Decimal()), currency=currency)
        for currency, those in sums.items()
    )


_GOES: Final = Sentence("{item}: {what} goes")
_IS_NEW: Final = Sentence("{item}: {what} is new")
_AT: Final = Sentence("{what} at {site}")
_BY_APPOINTMENT: Final = Sentence("{what}, appointment {slot}")
_AS_IT_WAS: Final = Sentence("{item}: {title}")
_DIFFERS: Final = Sentence("{item}: {title}: {differences}")
_SEVERAL: Final = Sentence("{number} x {title}")
_AT_A_PRICE: Final = Sentence("{what} ({costs})")
_NAMED: Final = Sentence("{name} {new}")
_IN_PLACE_OF: Final = Sentence("{name} {new} in place of {old}")
_YES: Final = Sentence("yes")
_NO: Final = Sentence("no")
_NONE: Final = Sentence("none")
_NAMES: Final = {
    name: Sentence(name) for name in ("offering", "quantity", "place", "appointment", "status", "a month", "once")
}
_STATUS: Final = {status: Sentence(status) for status in ("active", "suspended")}


def in_words(difference: ItemDifference) -> Wording:
    """One item for people, in a sentence."""
    before, after, item = difference.before, difference.after, difference.item
    if after is None:
        return _GOES(item=item, what=_what(before)) if before is not None else verbatim(item)
    if before is None:
        return _at(after, _IS_NEW(item=item, what=_what(after)))
    told = joined(_differences(before, after), IN_A_LIST)
    if not told:
        return _AS_IT_WAS(item=item, title=after.title)
    return _DIFFERS(item=item, title=after.title, differences=told)


def _what(terms: ItemTerms) -> Words:
    what = _SEVERAL(number=str(terms.quantity), title=terms.title) if terms.quantity > 1 else terms.title
    costs = terms.prices.words
    return _AT_A_PRICE(what=what, costs=costs) if costs else what


def _at(terms: ItemTerms, told: Wording) -> Wording:
    if terms.site is not None:
        told = _AT(what=told, site=terms.site.id)
    return _BY_APPOINTMENT(what=told, slot=terms.appointment.wording) if terms.appointment is not None else told


def _differences(before: ItemTerms, after: ItemTerms) -> Iterator[Wording]:
    """Each name with what it is now. Those of characteristics are as the catalog has them."""
    pairs: list[tuple[Words, JsonValue | Wording, JsonValue | Wording]] = []
    pairs.append((_NAMES["offering"](), before.title, after.title))
    names = {**before.characteristics, **after.characteristics}
    pairs += [(name, before.characteristics.get(name), after.characteristics.get(name)) for name in names]
    pairs += [
        (_NAMES["quantity"](), before.quantity, after.quantity),
        (_NAMES["place"](), before.site and before.site.id, after.site and after.site.id),
        (_NAMES["appointment"](), _slot(before), _slot(after)),
        (_NAMES["status"](), _status(before), _status(after)),
        (_NAMES["a month"](), sum_of(before.prices.month) or None, sum_of(after.prices.month) or None),
        (_NAMES["once"](), sum_of(before.prices.once) or None, sum_of(after.prices.once) or None),
    ]
    for name, old, new in pairs:
        if old != new and old is not None:
            yield _IN_PLACE_OF(name=name, new=_value(new), old=_value(old))
        elif old != new:
            yield _NAMED(name=name, new=_value(new))


def _slot(terms: ItemTerms) -> Wording | None:
    return terms.appointment.wording if terms.appointment is not None else None


def _status(terms: ItemTerms) -> Words:
    return _STATUS[terms.status]() if terms.status in _STATUS else terms.status


def _value(value: JsonValue | Wording) -> Words:
    if isinstance(value, Wording):
        return value
    if isinstance(value, bool):
        return _YES() if value else _NO()
    return _NONE() if value is None else str(value)
