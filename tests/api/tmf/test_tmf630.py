"""TMF630 query strings become filters, order and pages; what is wrong with one is named."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import Malformed
from api.tmf.tmf630 import (
    Filter,
    FilterOperator,
    ListQuery,
    Sort,
    list_query,
    page_headers,
    page_status,
    select_page,
    selected,
)

THINGS: list[dict[str, Any]] = [
    {"id": "a", "size": 9, "tags": [{"name": "red"}, {"name": "blue"}], "on": True, "at": "2031-01-01T00:00:00.000Z"},
    {"id": "b", "size": 10, "tags": [{"name": "red"}], "on": False, "at": "2031-01-02T00:00:00.000Z"},
    {"id": "c", "tags": []},
]


def chosen(query: str, **own: Any) -> list[str]:
    return [str(resource["id"]) for resource in select_page(THINGS, list_query(query, **own))[0]]


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("state=held", [Filter("state", FilterOperator.EQ, ("held",))]),
        ("state.eq=held", [Filter("state", FilterOperator.EQ, ("held",))]),
        ("a=1&b.c=2", [Filter("a", FilterOperator.EQ, ("1",)), Filter("b.c", FilterOperator.EQ, ("2",))]),
        ("a=1,2&a=3;a=4", [Filter("a", FilterOperator.EQ, ("1", "2", "3", "4"))]),
        ("a=1%2C2", [Filter("a", FilterOperator.EQ, ("1,2",))]),
        ("orderDate.gt=2031-01-01", [Filter("orderDate", FilterOperator.GT, ("2031-01-01",))]),
        ("orderDate%3E2031-01-01", [Filter("orderDate", FilterOperator.GT, ("2031-01-01",))]),
        ("orderDate%3E=2031-01-01", [Filter("orderDate", FilterOperator.GTE, ("2031-01-01",))]),
        ("orderDate%3C%3D2031-01-01", [Filter("orderDate", FilterOperator.LTE, ("2031-01-01",))]),
        ("price.value.lt=5", [Filter("price.value", FilterOperator.LT, ("5",))]),
        ("@type=ProductOrder", [Filter("@type", FilterOperator.EQ, ("ProductOrder",))]),
        ("gt=1", [Filter("gt", FilterOperator.EQ, ("1",))]),
        ("name=Anna%20Muster", [Filter("name", FilterOperator.EQ, ("Anna Muster",))]),
        ("a=b=c", [Filter("a", FilterOperator.EQ, ("b=c",))]),
        ("fields=id&offset=1&limit=2&sort=-id", []),
        ("", []),
    ],
)
def test_a_query_string_becomes_filters(query: str, filters: list[Filter]) -> None:
    assert list(list_query(query).filters) == filters


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("a..b=1", "query.a..b"),
        ("=1", "query."),
        ("$where=1", "query.$where"),
        ("state!=held", "query.state"),
        ("state*=he.*", "query.state"),
        ("state%3D~he.*", "query.state"),
        ("state%21%3Dheld", "query.state"),
        ("state%3C%3Eheld", "query.state"),
        ("loose", "query.loose"),
        ("size.gt=1,2", "query.size"),
        ("size.gt=1&size.gt=2", "query.size"),
        ("&".join(f"a{n}=1" for n in range(21)), "query"),
        ("a=" + ",".join("x" * 101), "query"),
    ],
)
def test_what_is_wrong_with_a_filter_is_named(query: str, path: str) -> None:
    with pytest.raises(Malformed) as error:
        list_query(query)
    assert [detail.path for detail in error.value.details] == [path]


@pytest.mark.parametrize("query", ["state!=held", "state*=he.*", "state%3D~he.*"])
def test_an_operator_that_there_is_not_is_answered_with_those_that_there_are(query: str) -> None:
    with pytest.raises(Malformed, match=r"there is no operator .+ compared by \.eq, \.gt, \.gte, \.lt and \.lte"):
        list_query(query)


def test_a_value_may_look_like_an_operator() -> None:
    assert list_query("note.text=~!*<>").filters == (Filter("note.text", FilterOperator.EQ, ("~!*<>",)),)


def test_a_list_is_sorted_up_or_down_by_several_attributes() -> None:
    assert list_query("", sort="-a,+b.c, d").sort == (Sort("a", True), Sort("b.c"), Sort("d"))
    assert chosen("", sort="-size") == ["c", "b", "a"]
    assert chosen("", sort="size") == ["a", "b", "c"]
    with pytest.raises(Malformed, match=r"query\.sort"):
        list_query("", sort="a b")


def test_filters_all_have_to_hold_and_their_values_are_alternatives() -> None:
    assert chosen("tags.name=red,green") == ["a", "b"]
    assert chosen("tags.name=blue&size=9") == ["a"]
    assert chosen("tags.name=blue&size=10") == []
    assert chosen("size.gte=9.5") == ["b"]
    assert chosen("size=nine") == []
    assert chosen("on=true") == ["a"]
    assert chosen("at.gt=2031-01-01T00:00:00.000Z") == ["b"]
    assert chosen("no.such=1") == []


def test_a_page_is_cut_out_and_everything_counted() -> None:
    page, total = select_page(THINGS, list_query("", offset=1, limit=1))
    assert ([found["id"] for found in page], total) == (["b"], 3)


@pytest.mark.parametrize(
    ("query", "count", "total", "status"),
    [
        (ListQuery(), 100, 250, 200),
        (list_query("", limit=10), 10, 250, 206),
        (list_query("", limit=10), 7, 7, 200),
        (list_query("", offset=5), 2, 7, 206),
        (list_query("", offset=9), 0, 7, 200),
    ],
)
def test_only_a_part_that_was_asked_for_is_partial_content(
    query: ListQuery, count: int, total: int, status: int
) -> None:
    assert page_status(query, count, total) == status


def links(query: ListQuery, count: int, total: int, raw: str = "") -> dict[str, str]:
    header = page_headers(query, count, total, "http://api", "/things", raw)["Link"]
    return {rel: address for address, rel in (link.split("; ") for link in header.split(", "))}


def test_links_lead_to_the_other_pages() -> None:
    found = links(list_query("", offset=20, limit=10), 10, 45, "state=held&offset=20&limit=10")
    assert found == {
        f'rel="{rel}"': f"<http://api/things?state=held&offset={offset}&limit=10>"
        for rel, offset in {"self": 20, "first": 0, "last": 40, "next": 30, "prev": 10}.items()
    }


def test_the_first_page_has_none_before_it_and_the_last_none_behind() -> None:
    assert set(links(list_query("", limit=10), 10, 45)) == {f'rel="{rel}"' for rel in ("self", "first", "last", "next")}
    assert set(links(list_query("", offset=40, limit=10), 5, 45)) == {
        f'rel="{rel}"' for rel in ("self", "first", "last", "prev")
    }
    beyond = links(list_query("", offset=100, limit=10), 0, 45)
    assert beyond['rel="prev"'] == "<http://api/things?offset=40&limit=10>"


def test_a_query_can_not_break_out_of_a_link() -> None:
    assert links(ListQuery(), 0, 0, 'a=">é\r\n')['rel="self"'] == (
        "<http://api/things?a=%22%3E%C3%A9%0D%0A&offset=0&limit=100>"
    )


def test_fields_select_attributes_of_the_first_level() -> None:
    resource: dict[str, Any] = {"id": "1", "href": "x", "state": "held", "channel": [], "note": []}
    assert set(selected(resource, "state, channel")) == {"id", "href", "state", "channel"}
    assert set(selected(resource, "none")) == {"id", "href"}
    assert selected(resource, None) == resource


@pytest.mark.parametrize(("query", "sort"), [(".".join(["a"] * 9) + "=1", None), ("", ".".join(["a"] * 9))])
def test_a_path_has_a_depth(query: str, sort: str | None) -> None:
    with pytest.raises(Malformed, match="up to 8 names"):
        list_query(query, sort=sort)
    assert list_query(".".join(["a"] * 8) + "=1").filters


def test_a_query_has_a_length() -> None:
    with pytest.raises(Malformed, match="characters"):
        list_query("a=" + "x" * 20_000)


def test_a_page_that_ends_early_is_partial_and_the_next_goes_on_from_there() -> None:
    query = ListQuery(limit=100)
    assert page_status(query, 3, 50) == 206
    assert "offset=3&limit=100" in links(query, 3, 50)['rel="next"']
