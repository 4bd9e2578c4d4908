"""Lists as TMF630 has them: what a route is asked for, and how its page is answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Query, Request, Response
from pydantic import JsonValue

from api.errors import Malformed, problem
from api.http.dependencies import Responses, errors
from api.tmf.tmf630 import DEFAULT_LIMIT, LARGEST_LIMIT, ListQuery, list_query, page_headers, page_status, selected

FIELDS = Query(description="first-level attributes to answer with, `a,b`, or `none`; id and href always come")

_HEADERS = {
    "X-Total-Count": {"description": "how many there are on all pages", "schema": {"type": "integer"}},
    "X-Result-Count": {"description": "how many are in this answer", "schema": {"type": "integer"}},
    "Link": {"description": "self, first, next, prev and last page (RFC 8288)", "schema": {"type": "string"}},
}

LISTED: Responses = {
    200: {"description": "All that there is, or the first page where none was asked for", "headers": _HEADERS},
    206: {"description": "The page that was asked for, with more before or behind it", "headers": _HEADERS},
} | errors(400)
"""The documented answers of a list."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A request for part of a collection."""

    query: ListQuery
    path: str
    raw_query: str

    def answer(
        self, response: Response, resources: Iterable[dict[str, JsonValue]], total: int, base_url: str
    ) -> list[dict[str, JsonValue]]:
        """A page of resources, with the status and headers that say which part of all it is."""
        page = [selected(resource, self.query.fields) for resource in resources]
        response.status_code = page_status(self.query, len(page), total)
        response.headers.update(page_headers(self.query, len(page), total, base_url, self.path, self.raw_query))
        return page


def _listing(
    request: Request,
    fields: Annotated[str | None, FIELDS] = None,
    offset: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="how many to skip")] = None,
    limit: Annotated[
        int | None, Query(ge=1, le=LARGEST_LIMIT, description=f"how many at most; {DEFAULT_LIMIT} unless said")
    ] = None,
    sort: Annotated[str | None, Query(description="attributes to sort by: `-a,+b`")] = None,
) -> Listing:
    """All other parameters are filters: attributes by their dotted path, see `api.tmf.tmf630`."""
    raw: Any = request.scope["query_string"]
    raw_query = bytes(raw).decode("latin-1")
    query = list_query(raw_query, offset=offset, limit=limit, sort=sort, fields=fields)
    return Listing(query, request.url.path, raw_query)


def _fields(request: Request, fields: Annotated[str | None, FIELDS] = None) -> str | None:
    """Of a single resource nothing else can be asked.

    Raises:
        Malformed: naming each other parameter.
    """
    unknown = [name for name in request.query_params if name != "fields"]
    if unknown:
        raise Malformed(
            [problem(f"query.{name[:100]}", "a single resource is asked for with fields alone") for name in unknown]
        )
    return fields


FieldsDep: TypeAlias = Annotated[str | None, Depends(_fields)]
"""What `fields` selects of a single resource."""

ListingDep: TypeAlias = Annotated[Listing, Depends(_listing)]
