"""What a change makes different for the customer, item by item, with what it costs a month and once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from pydantic import JsonValue

from orders.model.catalog import Catalog
from orders.model.order import Appointment, Item, Revision, Site
from orders.model.values import Action, Frozen, Money


class Prices(Frozen):
    """What the catalog asks for, one sum for each currency. A component costs nothing beside its bundle's price."""

    month: tuple[Money, ...] = ()
    once: tuple[Money, ...] = ()

    @property
    def words(self) -> str:
        """For people: nothing, where it costs nothing."""
        told = [(self.month, "a month"), (self.once, "once")]
        return ", ".join(f"{sum_of(sums)} {how}" for sums, how in told if sums)


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


def sum_of(sums: Iterable[Money]) -> str:
    """Sums of money for people."""
    return " and ".join(f"{money.amount:.2f} {money.currency}" for money in sums)


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


def in_words(difference: ItemDifference) -> str:
    """One item for people, in a sentence."""
    before, after = difference.before, difference.after
    if after is None:
        return f"{difference.item}: {_what(before)} goes" if before is not None else difference.item
    if before is None:
        return f"{difference.item}: {_what(after)} is new{_at(after)}"
    told = list(_differences(before, after))
    return f"{difference.item}: {after.title}: {', '.join(told)}" if told else f"{difference.item}: {after.title}"


def _what(terms: ItemTerms) -> str:
    number = f"{terms.quantity} x " if terms.quantity > 1 else ""
    costs = f" ({terms.prices.words})" if terms.prices.words else ""
    return f"{number}{terms.title}{costs}"


def _at(terms: ItemTerms) -> str:
    place = f" at {terms.site.id}" if terms.site is not None else ""
    return f"{place}, appointment {terms.appointment.words}" if terms.appointment is not None else place


def _differences(before: ItemTerms, after: ItemTerms) -> Iterator[str]:
    pairs: list[tuple[str, JsonValue, JsonValue]] = [("offering", before.title, after.title)]
    names = {**before.characteristics, **after.characteristics}
    pairs += [(name, before.characteristics.get(name), after.characteristics.get(name)) for name in names]
    pairs += [
        ("quantity", before.quantity, after.quantity),
        ("place", before.site and before.site.id, after.site and after.site.id),
        ("appointment", _slot(before), _slot(after)),
        ("status", before.status, after.status),
        ("a month", sum_of(before.prices.month) or None, sum_of(after.prices.month) or None),
        ("once", sum_of(before.prices.once) or None, sum_of(after.prices.once) or None),
    ]
    for name, old, new in pairs:
        if old != new:
            yield f"{name} {_value(new)} in place of {_value(old)}" if old is not None else f"{name} {_value(new)}"


def _slot(terms: ItemTerms) -> str | None:
    return terms.appointment.words if terms.appointment is not None else None


def _value(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
