"""TMF630's conventions for lists: filters, sorting and paging in the query string, and the headers of a page.

Filters are attributes by their dotted path: `productOrderItem.state=held`. Different attributes must all hold; values
separated by commas, and the same attribute given again, are alternatives. A path may end in `.eq`, `.gt`, `.gte`, `.lt`
or `.lte`; `orderDate>=2031-01-01T00:00:00Z` (url-encoded) says the same as `orderDate.gte=...`.
No library is known that reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, unquote_plus

from pydantic import JsonValue

from api.errors import Detail, Malformed, problem
from orders.model.instants import EARLIEST, LATEST
from orders.model.writing.text import as_json


class FilterOperator(StrEnum):
    """How an attribute is compared."""

    EQ = "eq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"


@dataclass(frozen=True, slots=True)
class Filter:
    """An attribute that must compare so with one of the values."""

    path: str
    operator: FilterOperator
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """An attribute to sort by."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What part of a collection is asked for. `paged`: the client itself said which page it wants."""

    filters: tuple[Filter, ...] = ()
    sort: tuple[Sort, ...] = ()
    offset: int = 0
    limit: int = 100
    paged: bool = False
    fields: str | None = None


DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
MOST_FILTERS = 20
MOST_VALUES = 100
LONGEST_QUERY = 16_384
"""Characters of a query string: room for every filter that is taken."""
DEEPEST_PATH = 8
"""Names in an attribute path. Databases walk one name after the other, through every list on the way."""
_PRECISION = timedelta(milliseconds=1)
"""Of the instants that are told: what is looked for by one is any within it."""

_OWN = frozenset({"fields", "offset", "limit", "sort"})
_PATH = r"@?[A-Za-z][A-Za-z0-9_-]*(?:\.@?[A-Za-z][A-Za-z0-9_-]*)*"
_COMPARISON = re.compile(rf"(?P<path>{_PATH})(?P<sign>>=|<=|==|=|>|<)(?P<values>.*)", re.DOTALL)
_NO_SIGN = re.compile(rf"(?P<path>{_PATH})(?P<sign>=~|<>|[!*~](?==|$))")
"""Others have more: `*=` and `=~` are those of TMF630 for regular expressions, which not every database has."""
_SIGNS = {
    "=": FilterOperator.EQ,
    "==": FilterOperator.EQ,
    ">": FilterOperator.GT,
    ">=": FilterOperator.GTE,
    "<": FilterOperator.LT,
    "<=": FilterOperator.LTE,
}


def list_query(
    query: str,
    *,
    offset: int | None = None,
    limit: int | None = None,
    sort: str | None = None,
    fields: str | None = None,
) -> ListQuery:
    """What a raw query string asks for, with the parameters of its own that the framework has read already.

    Raises:
        Malformed: naming every parameter that is wrong.
    """
    if len(query) > LONGEST_QUERY:
        raise Malformed([problem("query", f"has more than {LONGEST_QUERY} characters")])
    found: list[Detail] = []
    filters = _filters(query, found)
    order = _sort(sort, found)
    found += [
        problem(f"query.{one.path[:100]}", f"an attribute path has up to {DEEPEST_PATH} names")
        for one in (*filters, *order)
        if one.path.count(".") >= DEEPEST_PATH
    ]
    if found:
        raise Malformed(found)
    return ListQuery(
        filters=filters,
        sort=order,
        offset=offset or 0,
        limit=DEFAULT_LIMIT if limit is None else limit,
        paged=offset is not None or limit is not None,
        fields=fields,
    )


def _filters(query: str, found: list[Detail]) -> tuple[Filter, ...]:
    merged: dict[tuple[str, FilterOperator], list[str]] = {}
    for part in re.split("[&;]", query):
        raw_name, _, raw_values = part.partition("=")
        name = unquote_plus(raw_name)
        if not part or name in _OWN:
            continue
        # Commas are told apart before decoding: one that is part of a value is sent as %2C.
        values = [unquote_plus(value) for value in raw_values.split(",")]
        if (unknown := _NO_SIGN.match(name)) is not None:
            sign = unknown["sign"] if len(unknown["sign"]) > 1 else unknown["sign"] + "="
            found.append(problem(f"query.{unknown['path'][:100]}", no_operator(sign)))
            continue
        comparison = _COMPARISON.fullmatch(f"{name}={values[0]}" if "=" in part else name)
        if comparison is None:
            found.append(problem(f"query.{name[:100]}", "is no attribute path, such as productOrderItem.state"))
            continue
        if "\0" in name + "".join(values):
            found.append(problem(f"query.{comparison['path']}", "holds a NUL"))
            continue
        path, operator = comparison["path"], _SIGNS[comparison["sign"]]
        stem, _, word = path.rpartition(".")
        if operator is FilterOperator.EQ and stem and word in set(FilterOperator):
            path, operator = stem, FilterOperator(word)
        merged.setdefault((path, operator), []).extend([comparison["values"], *values[1:]])
    found += [
        problem(f"query.{path}", f"{operator} compares with one value, not with {len(values)}")
        for (path, operator), values in merged.items()
        if operator is not FilterOperator.EQ and len(values) > 1
    ]
    if len(merged) > MOST_FILTERS or any(len(values) > MOST_VALUES for values in merged.values()):
        found.append(problem("query", f"takes up to {MOST_FILTERS} filters, of up to {MOST_VALUES} values each"))
    return tuple(Filter(path, operator, tuple(values)) for (path, operator), values in merged.items())


def no_operator(name: str) -> str:
    """What is said of an operator that there is not."""
    *others, last = (f".{operator}" for operator in FilterOperator)
    return f"there is no operator {name}: attributes are compared by {', '.join(others)} and {last}"


def _sort(text: str | None, found: list[Detail]) -> tuple[Sort, ...]:
    """`-a,+b`. A plus that was not encoded arrives as a space."""
    names = [name.strip() for name in text.split(",")] if text else []
    order = [Sort(name.lstrip("+-").strip(), name.startswith("-")) for name in names if name]
    found += [
        problem("query.sort", f"{as_json(by.path)} is no attribute path")
        for by in order
        if not re.fullmatch(_PATH, by.path)
    ]
    return tuple(order)


def instant_of(text: str, path: str) -> datetime:
    """A filter's value as an instant in UTC; a date alone is its first moment.

    Raises:
        Malformed: if it is none.
    """
    try:
        # A plus that was not encoded arrives as a space.
        value = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if not EARLIEST <= value.year < LATEST:
            raise ValueError(text)
        return value
    except (ValueError, OverflowError) as error:
        raise Malformed(
            [problem(f"query.{path}", f"{as_json(text)} is no instant, such as 2031-03-03T07:00:00Z")]
        ) from error


def instants_between(wanted: Filter) -> Iterator[tuple[FilterOperator, datetime]]:
    """A comparison with an instant, as limits for those that are kept more exactly than they are told.

    Raises:
        Malformed: if it names several, or none.
    """
    value, *others = wanted.values
    if others:
        raise Malformed([problem(f"query.{wanted.path}", "is compared with one instant")])
    at = instant_of(value, wanted.path)
    if wanted.operator in (FilterOperator.EQ, FilterOperator.GTE):
        yield FilterOperator.GTE, at
    if wanted.operator is FilterOperator.GT:
        yield FilterOperator.GTE, at + _PRECISION
    if wanted.operator in (FilterOperator.EQ, FilterOperator.LTE):
        yield FilterOperator.LT, at + _PRECISION
    if wanted.operator is FilterOperator.LT:
        yield FilterOperator.LT, at


# Collections that are at hand as a whole


def select_page(resources: Sequence[dict[str, JsonValue]], query: ListQuery) -> tuple[list[dict[str, JsonValue]], int]:
    """The resources of the page asked for, and how many there are on all pages."""
    chosen = [resource for resource in resources if all(matches(resource, one) for one in query.filters)]
    for by in reversed(query.sort):
        chosen.sort(key=lambda resource: _sort_key(resource, by.path), reverse=by.descending)
    return chosen[query.offset : query.offset + query.limit], len(chosen)


def matches(resource: Mapping[str, JsonValue], wanted: Filter) -> bool:
    """True if any value at the path compares as asked for. Numbers are compared as numbers, all else as text."""
    return any(
        _compares(value, wanted.operator, text)
        for value in _values_at(resource, wanted.path.split("."))
        for text in wanted.values
    )


def _values_at(value: JsonValue | Mapping[str, JsonValue], path: Sequence[str]) -> Iterator[JsonValue]:
    if isinstance(value, list):
        for inner in value:
            yield from _values_at(inner, path)
    elif not path:
        yield value if not isinstance(value, Mapping) else dict(value)
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values_at(value[path[0]], path[1:])


def _compares(value: JsonValue, operator: FilterOperator, text: str) -> bool:
    if isinstance(value, bool):
        return operator is FilterOperator.EQ and text.lower() == str(value).lower()
    if isinstance(value, int | float):
        try:
            return _holds(float(value), operator, float(text))
        except (ValueError, OverflowError):
            return False
    return isinstance(value, str) and _holds(value, operator, text)


def _holds(left: float | str, operator: FilterOperator, right: float | str) -> bool:
    order = (left > right) - (left < right)  # pyright: ignore[reportOperatorIssue] # Both are of one type.
    match operator:
        case FilterOperator.EQ:
            return order == 0
        case FilterOperator.GT:
            return order > 0
        case FilterOperator.GTE:
            return order >= 0
        case FilterOperator.LT:
            return order < 0
        case FilterOperator.LTE:
            return order <= 0


def _sort_key(resource: Mapping[str, JsonValue], path: str) -> tuple[bool, bool, float, str]:
    """Numbers before text, and what is not there last."""
    value = next(_values_at(resource, path.split(".")), None)
    if isinstance(value, int | float):
        return False, False, float(value), ""
    return value is None, True, 0.0, value if isinstance(value, str) else ""


# The answer


def selected(resource: dict[str, JsonValue], fields: str | None) -> dict[str, JsonValue]:
    """The resource with the first-level attributes named in `fields` (`a,b` or `none`); id and href always."""
    names = named_fields(fields)
    if names is None:
        return resource
    return {name: value for name, value in resource.items() if name in names}


def named_fields(fields: str | None) -> set[str] | None:
    """The first-level attributes that `fields` selects. None for all of them."""
    return {name.strip() for name in fields.split(",")} - {"none"} | {"id", "href"} if fields else None


def page_status(query: ListQuery, count: int, total: int) -> int:
    """206 for a part that was asked for as such; 200 for all there is, and for a page beyond the end."""
    ends_early = count < min(query.limit, total - query.offset)
    return 206 if (query.paged or ends_early) and 0 < count < total else 200


def page_headers(query: ListQuery, count: int, total: int, base_url: str, path: str, raw_query: str) -> dict[str, str]:
    """X-Total-Count, X-Result-Count and, where pages differ, Link (RFC 8288) to self, first, next, prev and last."""
    headers = {"X-Total-Count": str(total), "X-Result-Count": str(count)}
    last = max(total - 1, 0) // query.limit * query.limit
    pages = {"self": query.offset, "first": 0, "last": last}
    if query.offset + count < total and count:
        pages["next"] = query.offset + count
    if query.offset > 0:
        pages["prev"] = max(min(query.offset, last + query.limit) - query.limit, 0)
    parts = [part for part in raw_query.split("&") if part and part.partition("=")[0] not in ("offset", "limit")]
    kept = "".join(quote(part, safe="%=,;:+!*@~") + "&" for part in parts)
    headers["Link"] = ", ".join(
        f'<{base_url}{path}?{kept}offset={offset}&limit={query.limit}>; rel="{rel}"' for rel, offset in pages.items()
    )
    return headers
