"""Saved views: everybody's own, as many as there may be, and one of a name."""

from __future__ import annotations

from register import Register
from register.saved_views import MOST, SavedView
from tests.given.registers import NOON


def view(name: str, **filters: object) -> SavedView:
    return SavedView(name, filters, NOON)


def test_a_view_is_kept_for_who_saved_it_until_it_is_deleted(register: Register) -> None:
    views = register.saved_views
    assert views.put("ada", view("late", inJeopardy=True))
    assert views.put("ada", view("held", state=["held"]))
    assert views.put("bob", view("late", q="Muster"))
    assert views.of("ada") == (view("held", state=["held"]), view("late", inJeopardy=True))
    assert views.put("ada", view("late", q="Lindenweg"))
    assert views.of("ada")[1] == view("late", q="Lindenweg")
    assert (views.delete("ada", "late"), views.delete("ada", "late")) == (True, False)
    assert [each.name for each in views.of("ada")] == ["held"]
    assert views.of("bob") == (view("late", q="Muster"),)


def test_nobody_has_more_views_than_there_may_be(register: Register) -> None:
    views = register.saved_views
    assert all(views.put("ada", view(f"{number:02}")) for number in range(MOST))
    assert not views.put("ada", view("one more"))
    assert views.put("ada", view("00", state=["held"]))
    assert views.put("bob", view("one more"))
    assert len(views.of("ada")) == MOST
