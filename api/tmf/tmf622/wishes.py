"""What an item asks of its product beside what it is made of: where, whose, in what state, on whose bill, and when.

What nobody can carry out is no error of form. It has a code of its own: the order is rejected, or the change refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from pydantic import ValidationError

from api.errors import Detail, problem, problems
from api.tmf.json_body import Json
from api.tmf.tmf622.bodies import ItemAppointment, Place, Product, ProductOrder, ProductOrderItem
from orders.model.order import Appointment, RequestedItem, TimeSlot, Wishes
from orders.model.values import Action, ProductStatus
from orders.planning.wishes import NOT_CARRIED_OUT
from orders.read_model.views import ItemView

_AT_A_SITE = ("install", "service")
_OF_OTHER_USE = ("bill", "invoic", "deliver", "ship", "pickup", "contact", "post", "mail", "legal")
_OWNERS = ("", "customer", "owner")
_TELLS_WHICH = (
    "href",
    "name",
    "description",
    "isBundle",
    "orderDate",
    "startDate",
    "productOrderItem",
    "realizingResource",
)
_OF_THE_CATALOG = ("productPrice", "productTerm")
"""Of a product these are told by the inventory or the catalog. An order that says them again asks for nothing."""
_UPDATED = ("id", "status", "billingAccount", "place", "productCharacteristic")
_READ = (*_UPDATED, "productOffering", "productSpecification", "relatedParty", "productRelationship")
_RELATIONS = ("relieson", "bundledby")
_WHERE = {
    "billing_account": "billingAccount.id",
    "specification": "product.productSpecification.id",
    "appointment_ref": "appointment.id",
}
"""Where in an item a wish is told whose text is not checked before."""


def plain(word: str) -> str:
    """`relies on`, `reliesOn` and `relies_on` are the same to us: the standard leaves the words open."""
    return word.lower().replace(" ", "").replace("_", "").replace("-", "")


def is_site(role: str) -> bool:
    """True where a place of that role is where the product is installed: unless the role speaks of something else."""
    said = plain(role)
    return said.startswith(_AT_A_SITE) or not any(word in said for word in _OF_OTHER_USE)


def site_among(places: Sequence[Place]) -> int | None:
    """Which of a product's places is where it is installed: one that says so in so many words comes first."""
    sites = [n for n, place in enumerate(places) if is_site(place.role)]
    sites.sort(key=lambda n: not plain(places[n].role).startswith("install"))
    return sites[0] if sites else None


def wishes_of(item: ProductOrderItem, path: str, found: list[Detail]) -> Wishes:
    """What an item asks of its product. What nobody can carry out is added to `found`."""
    product, accounts = item.product, [item.product.billing_account, item.billing_account]
    named = [account.id for account in accounts if account is not None]
    found += [_beyond(item.id, path, where, why) for where, why in _beyond_us(item, len(set(named)) > 1)]
    return _wishes(
        path,
        found,
        status=product.status,
        billing_account=named[0] if named else None,
        owners=tuple(party.id for party in product.related_party if plain(party.role) in _OWNERS),
        specification=product.product_specification.id if product.product_specification else None,
        appointment=_time_slot(item.appointment, f"{path}.appointment", found),
        appointment_ref=_bare_reference(item.appointment),
    )


def _beyond(item_id: str, path: str, where: str, why: str) -> Detail:
    return Detail(code=NOT_CARRIED_OUT, path=f"{path}.{where}", item=item_id, message=f"{where} {why}")


def _beyond_us(item: ProductOrderItem, accounts_differ: bool) -> Iterator[tuple[str, str]]:
    """(path below the item, why) of what is asked and nobody can carry out."""
    product = item.product
    if accounts_differ:
        yield "billingAccount", "differs from that of the item's product"
    offerings = {ref.id for ref in (item.product_offering, product.product_offering) if ref is not None}
    if len(offerings) > 1:
        yield "product.productOffering", "differs from that of the item"
    if item.action is not Action.ADD:
        for where, why in _beyond_us_of_installed(product):
            yield f"product.{where}", why


def _beyond_us_of_installed(product: Product) -> Iterator[tuple[str, str]]:
    site = site_among(product.place)
    for n, place in enumerate(product.place):
        if site is None or not is_site(place.role):
            yield f"place[{n}].role", f"cannot be {place.role}: only where a product is installed is known of it"
        elif n != site and place.id != product.place[site].id:
            yield (
                f"place[{n}].role",
                f"cannot be {place.role}: a product is installed at one place, which is place[{site}]",
            )
    for n, party in enumerate(product.related_party):
        if plain(party.role) not in _OWNERS:
            yield f"relatedParty[{n}].role", f"cannot be {party.role}: of a product only the customer is known"
    for n, relationship in enumerate(product.product_relationship):
        if plain(relationship.relationship_type) not in _RELATIONS:
            kind = relationship.relationship_type
            yield f"productRelationship[{n}].relationshipType", f"cannot be {kind}: it is reliesOn or bundledBy"
    said = product.model_dump(by_alias=True, exclude_unset=True)
    for name, value in said.items():
        if value and not name.startswith("@") and name not in (*_READ, *_TELLS_WHICH, *_OF_THE_CATALOG):
            yield name, "cannot be changed by an order"


def wishes_of_update(product: Product, path: str, found: list[Detail]) -> Wishes:
    """What an update of an item asks of its product, whatever the item is. What else it says is added to `found`."""
    said = product.model_dump(by_alias=True, exclude_unset=True)
    found += [
        problem(f"{path}.{name}", "cannot be changed by an update of an item")
        for name, value in said.items()
        if value and not name.startswith("@") and name not in (*_UPDATED, *_TELLS_WHICH, *_OF_THE_CATALOG)
    ]
    account = product.billing_account
    return _wishes(path, found, status=product.status, billing_account=account.id if account else None)


def _wishes(path: str, found: list[Detail], **said: object) -> Wishes:
    """Wishes, as far as the core takes them. Text that it does not take is added to `found`."""
    try:
        return Wishes.model_validate(said)
    except ValidationError as error:
        for detail in problems(error):
            name = (detail.path or "").partition("[")[0]
            found.append(problem(f"{path}.{_WHERE.get(name, name)}", detail.message))
        return Wishes()


def _bare_reference(appointment: ItemAppointment | None) -> str | None:
    """The id of an appointment that does not say when it is."""
    if appointment is None or (appointment.valid_for is not None and appointment.time_zone is not None):
        return None
    return appointment.id


def show_wishes(item: Json, view: ItemView, appointments: Iterable[Appointment]) -> None:
    """Have an item of a resource show what it asks of its product now, where that was amended."""
    product = item.get("product")
    if isinstance(product, dict):
        account = product.get("billingAccount") or item.get("billingAccount")
        shown = account.get("id") if isinstance(account, dict) else None
        if "status" in view.amended and product.get("status", ProductStatus.ACTIVE) != view.status:
            product["status"] = view.status
        if "billing_account" in view.amended and view.billing_account not in (None, shown):
            product["billingAccount"] = {"id": view.billing_account}
    appointment = item.get("appointment")
    if isinstance(appointment, dict) and "validFor" in appointment and view.site is not None:
        made = next((made for made in appointments if made.site == view.site.id), None)
        if made is not None and not _is_the_same(appointment, made):
            period: Json = {"startDateTime": made.start.isoformat()}
            if made.end is not None:
                period["endDateTime"] = made.end.isoformat()
            appointment |= {"validFor": period, "timeZone": made.time_zone}


def _is_the_same(shown: Json, made: Appointment) -> bool:
    slot = _time_slot(ItemAppointment.model_validate(shown), "", [])
    return slot is not None and (slot.start, slot.end, slot.time_zone) == (made.start, made.end, made.time_zone)


def _time_slot(appointment: ItemAppointment | None, path: str, found: list[Detail]) -> TimeSlot | None:
    if appointment is None or appointment.valid_for is None or appointment.time_zone is None:
        return None
    period = appointment.valid_for
    try:
        return TimeSlot(start=period.start_date_time, end=period.end_date_time, time_zone=appointment.time_zone)
    except ValidationError as error:
        found.extend(problems(error, path))
        return None


def for_the_whole_order(
    order: ProductOrder, items: Iterable[RequestedItem], found: list[Detail]
) -> tuple[RequestedItem, ...]:
    """The items, with what the order says for all of them: its billing account is that of its new products.

    Dates of items are the order's where all agree on them. Others are added to `found`.
    """
    account = order.billing_account.id if order.billing_account else None
    common = {"requestedStartDate": common_start(order), "requestedCompletionDate": common_completion(order)}
    for path, item in _paths(order.product_order_item, "productOrderItem"):
        for name, date in (
            ("requestedStartDate", item.requested_start_date),
            ("requestedCompletionDate", item.requested_completion_date),
        ):
            if date is not None and date != common[name]:
                why = "is not that of the order and of all its other items: order it separately"
                found.append(_beyond(item.id, path, name, why))
    return tuple(_billed_on(account, item) for item in items)


def _billed_on(account: str | None, item: RequestedItem) -> RequestedItem:
    if account is None or item.action is not Action.ADD or item.wishes.billing_account is not None:
        return item
    return item.model_copy(update={"wishes": item.wishes.model_copy(update={"billing_account": account})})


def common_start(order: ProductOrder) -> datetime | None:
    """The start that an order asks for, or that all its items do."""
    return order.requested_start_date or _agreed([item.requested_start_date for item in order.product_order_item])


def common_completion(order: ProductOrder) -> datetime | None:
    """The completion that an order asks for, or that all its items do."""
    dates = [item.requested_completion_date for item in order.product_order_item]
    return order.requested_completion_date or _agreed(dates)


def _agreed(dates: Sequence[datetime | None]) -> datetime | None:
    """What all say: those who say nothing want to begin at once."""
    return dates[0] if len(set(dates)) == 1 else None


def _paths(items: Iterable[ProductOrderItem], path: str) -> Iterator[tuple[str, ProductOrderItem]]:
    for n, item in enumerate(items):
        yield f"{path}[{n}]", item
        yield from _paths(item.product_order_item, f"{path}[{n}].productOrderItem")
