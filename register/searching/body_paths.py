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

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Numeric,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from register.searching.query import Comparison
from register.tables.orders import DOCUMENTS, ORDERS

_Comparison: TypeAlias = Callable[[Any, Any], ColumnElement[bool]]
_ORDER: Final[dict[Comparison, _Comparison]] = {
    Comparison.GT: gt,
    Comparison.GTE: ge,
    Comparison.LT: lt,
    Comparison.LTE: le,
}
_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?")


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
    """The same. Written as text, since SQLAlchemy's elements take many times as long, and for each query anew."""
    paths = [f"$.{json.dumps(name, ensure_ascii=False)}" for name in names]
    *before, last = (f":path_{number}" for number in range(len(paths)))
    document, told = (f"{column.table.name}.{column.name}" for column in (DOCUMENTS.c.content, ORDERS.c.told))
    holder = f"CASE WHEN json_type({told}, :path_0) IS NOT NULL THEN {told} ELSE {document} END"
    way: list[str] = []
    for number, path in enumerate(before):
        content = f"json_extract({holder}, {path})"
        each = f"WHEN 'array' THEN {content} WHEN 'object' THEN json_array(json({content})) ELSE '[]'"
        way.append(f"json_each(CASE json_type({holder}, {path}) {each} END) AS entry_{number}")
        holder = f"CASE entry_{number}.type WHEN 'object' THEN entry_{number}.value ELSE '{{}}' END"
    way.append(f"json_each({holder}, {last}) AS found")
    words = "CASE WHEN found.type IN ('true', 'false') THEN found.type ELSE CAST(found.atom AS TEXT) END"
    number = "CASE WHEN found.type IN ('integer', 'real') THEN found.atom END"
    # Unique: one statement may have several ways, each with its own values.
    given = [bindparam(f"path_{number}", path, unique=True) for number, path in enumerate(paths)]
    return (
        select(literal(1))
        .select_from(text(", ".join(way)).bindparams(*given))
        .where(
            # Of an object, json_each would give the members.
            text(f"json_type({holder}, {last}) != 'object'").bindparams(*given[-1:]),
            _matches(
                literal_column(words, Text),
                literal_column(number),
                literal_column("found.type = 'text'", Boolean),
                operator,
                values,
            ),
        )
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
