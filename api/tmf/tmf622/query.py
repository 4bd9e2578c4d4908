"""TMF630 lists of product orders in the register's words: which attribute is looked for where.

Attributes that orderpipe reads are columns, and quick. All others are looked for in the orders as they were submitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from api.errors import Malformed, problem
from api.tmf.attributes import Attributes
from api.tmf.tmf630 import Filter, FilterOperator, ListQuery, instants_between, named_fields
from orders.model.writing.text import as_json
from orders.read_model.states import LifecycleState
from register.searching.query import BodyPath, Comparison, OrderField, OrderQuery, Predicate, Value, Visibility
from register.searching.query import Sort as SortedBy

ORDER = Attributes.of(
    "product order",
    "cancellationDate cancellationReason category completionDate description expectedCompletionDate externalId "
    "notificationContact orderDate priority requestedCompletionDate requestedStartDate state waitForProducts",
    "agreement billingAccount channel note orderTotalPrice payment productOfferingQualification productOrderItem "
    "productOrderErrorMessage quote relatedParty",
)
_FIELDS = {
    "id": OrderField.ID,
    "externalId": OrderField.EXTERNAL_ID,
    "state": OrderField.STATE,
    "priority": OrderField.PRIORITY,
    "channel.id": OrderField.CHANNEL,
    "relatedParty.id": OrderField.CUSTOMER_ID,
    "productOrderItem.id": OrderField.ITEM_ID,
    "productOrderItem.state": OrderField.ITEM_STATE,
    "productOrderItem.action": OrderField.ITEM_ACTION,
    "productOrderItem.quantity": OrderField.ITEM_QUANTITY,
    "productOrderItem.productOffering.id": OrderField.OFFERING,
}
_INSTANTS = {
    "orderDate": OrderField.ORDERED_AT,
    "requestedStartDate": OrderField.REQUESTED_START,
    "requestedCompletionDate": OrderField.REQUESTED_COMPLETION,
    "expectedCompletionDate": OrderField.EXPECTED_AT,
    "completionDate": OrderField.COMPLETED_AT,
    "cancellationDate": OrderField.COMPLETED_AT,
}
_IN_STATE = {"completionDate": LifecycleState.COMPLETED, "cancellationDate": LifecycleState.CANCELLED}
_NUMBERS = (OrderField.PRIORITY, OrderField.ITEM_QUANTITY)


def order_query(query: ListQuery, visible_to: Visibility | None) -> OrderQuery:
    """The orders that a list asks for, of those that its reader sees.

    Raises:
        Malformed: naming the parameter that is wrong.
    """
    ORDER.require(query)
    others = any(one.path == "relatedParty.role" and one.values != ("customer",) for one in query.filters)
    where = tuple(predicate for one in query.filters for predicate in _predicates(one, others))
    asked = OrderQuery(
        where=where,
        visible_to=visible_to,
        offset=query.offset,
        limit=query.limit,
        with_body=not told_without_body(query.fields),
    )
    if not query.sort:
        return asked
    return replace(asked, sort=tuple(SortedBy(_sortable(by.path), by.descending) for by in query.sort))


_WITHOUT_BODY = frozenset(
    ("id", "href", "externalId", "state", "orderDate", "completionDate", "expectedCompletionDate", "cancellationDate")
)


def told_without_body(fields: str | None) -> bool:
    """True where all that is selected is known without the order as it was submitted."""
    names = named_fields(fields)
    return names is not None and names <= _WITHOUT_BODY


def _sortable(path: str) -> OrderField:
    field = _FIELDS.get(path) or _INSTANTS.get(path)
    if field is None or not field.sortable:
        known = sorted(name for name, one in {**_FIELDS, **_INSTANTS}.items() if one.sortable)
        raise Malformed([problem("query.sort", f"orders are not sorted by {path}, but by {', '.join(known)}")])
    return field


def _predicates(wanted: Filter, other_parties: bool) -> Iterator[Predicate]:
    if wanted.path in _INSTANTS:
        yield from _instants(wanted)
        return
    field = _FIELDS.get(wanted.path)
    if field is None or (other_parties and field is OrderField.CUSTOMER_ID):
        yield _predicate(BodyPath(tuple(wanted.path.split("."))), wanted.operator, wanted.values)
    elif field in _NUMBERS:
        numbers = tuple(_number(text, wanted.path) for text in wanted.values)
        yield _predicate(field, wanted.operator, numbers)
    else:
        yield _predicate(field, wanted.operator, wanted.values)


def _predicate(field: OrderField | BodyPath, operator: FilterOperator, values: tuple[Value, ...]) -> Predicate:
    value, *others = values
    # Only equality takes several.
    return Predicate(field, Comparison.IN, values) if others else Predicate(field, Comparison(operator.value), value)


def _number(text: str, path: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or abs(number) >= 2**31:
        raise Malformed([problem(f"query.{path}", f"{as_json(text)} is no number")])
    return number


def _instants(wanted: Filter) -> Iterator[Predicate]:
    for operator, at in instants_between(wanted):
        yield Predicate(_INSTANTS[wanted.path], Comparison(operator.value), at)
    if wanted.path in _IN_STATE:
        yield Predicate(OrderField.STATE, Comparison.EQ, str(_IN_STATE[wanted.path]))
