"""Looking into orders as they are shown, by the JSON functions of either database.

An attribute that is told of an order otherwise than it stands in its document is looked for there.

Both walk a path the same way: a list on the way, or at its end, stands for each of its entries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Numeric, Text, and_, case, cast, func, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from register.schema import DOCUMENTS, ORDERS
from register.searching.query import Comparison

_Comparison: TypeAlias = Callable[[Any, Any], ColumnElement[bool]]
_ORDER: Final[dict[Comparison, _Comparison]] = {
    Comparison.GT: gt,
    Comparison.GTE: ge,
    Comparison.LT: lt,
    Comparison.LTE: le,
}
_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
_EMPTY_OBJECT: Final = literal_column("'{}'")


def on_postgresql(names: tuple[str, ...], operator: Comparison, values: tuple[str, ...]) -> ColumnElement[bool]:
    """True for orders that show a value at the path that compares with one of those given."""
    # JSONB knows no \u0000: here it becomes another character that nobody looks for.
    document, told = (
        cast(func.replace(cast(column, Text), r"\u0000", r"\ufffd"), JSONB)
        for column in (DOCUMENTS.c.content, ORDERS.c.told)
    )
    document = case((func.jsonb_exists(told, names[0]), told), else_=document)
    path = "$" + "".join(f".{json.dumps(name)}" for name in names) + "[*]"
    found = func.jsonb_path_query(document, cast(path, JSONPATH), type_=JSONB).column_valued("found")
    kind = func.jsonb_typeof(found)
    words = found.op("#>>", return_type=Text())(literal_column("'{}'"))
    number = case((kind == "number", cast(words, Numeric)))
    return select(literal(1)).where(_matches(words, number, kind == "string", operator, values)).exists()


def on_sqlite(names: tuple[str, ...], operator: Comparison, values: tuple[str, ...]) -> ColumnElement[bool]:
    """The same."""
    *before, last = (f"$.{json.dumps(name, ensure_ascii=False)}" for name in names)
    document, told = (cast(column, Text) for column in (DOCUMENTS.c.content, ORDERS.c.told))
    is_told = func.json_type(told, (*before, last)[0]).is_not(None)
    holder: ColumnElement[Any] = case((is_told, told), else_=document)
    on_the_way: list[Any] = []
    for number, path in enumerate(before):
        kind, content = func.json_type(holder, path), func.json_extract(holder, path)
        listed = case((kind == "array", content), (kind == "object", func.json_array(func.json(content))), else_="[]")
        entry = func.json_each(listed).table_valued("value", "type", name=f"entry_{number}", joins_implicitly=True)
        on_the_way.append(entry)
        holder = case((entry.c.type == "object", entry.c.value), else_=_EMPTY_OBJECT)
    found = func.json_each(holder, last).table_valued("type", "atom", name="found", joins_implicitly=True)
    kind = found.c.type
    words = case((kind.in_(("true", "false")), kind), else_=cast(found.c.atom, Text))
    number = case((kind.in_(("integer", "real")), found.c.atom))
    return (
        select(literal(1))
        .select_from(*on_the_way, found)
        # Of an object, json_each would give the members.
        .where(func.json_type(holder, last) != "object", _matches(words, number, kind == "text", operator, values))
        .exists()
    )


def _matches(
    words: ColumnElement[Any],
    number: ColumnElement[Any],
    is_string: ColumnElement[bool],
    operator: Comparison,
    values: tuple[str, ...],
) -> ColumnElement[bool]:
    compare = _ORDER.get(operator)
    numbers = [literal(Decimal(value), Numeric) for value in values if _NUMBER.fullmatch(value)]
    if compare is None:
        return or_(words.in_(values), number.in_(numbers)) if numbers else words.in_(values)
    return compare(number, numbers[0]) if numbers else and_(is_string, compare(words, values[0]))
