"""What people do with fallout: who has it, and what was said about it. It is written here alone."""

from __future__ import annotations

from datetime import datetime

from register.engine import Database
from register.fallout.query import Fallout, FalloutPage, FalloutQuery, FalloutSummary, StoryEntry
from register.fallout.search import fallout_page, fallout_summary, find_fallout
from register.hands import Claimed, Hands
from register.hands import Over as FalloutOver
from register.searching.query import Visibility
from register.tables.people import FALLOUT, FALLOUT_STORY

__all__ = ["Claimed", "FalloutOver", "FalloutRegister"]


class FalloutRegister:
    """Fallout by what is known of it, and who has it. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hands = Hands(database, FALLOUT, FALLOUT_STORY, "fallout_id")

    def page(self, query: FalloutQuery) -> FalloutPage:
        """A page of the fallout that fits, and how much there is."""
        with self._database.reading() as connection:
            return fallout_page(connection, query)

    def summary(self, query: FalloutQuery) -> FalloutSummary:
        """The fallout that fits by silo, operation and code."""
        with self._database.reading() as connection:
            return fallout_summary(connection, query)

    def find(self, fallout_id: str, visible_to: Visibility | None = None) -> Fallout | None:
        """One fallout, if there is such a one that may be seen."""
        with self._database.reading() as connection:
            return find_fallout(connection, fallout_id, visible_to)

    def story(self, fallout_id: str) -> tuple[StoryEntry, ...]:
        """What people did with a fallout and said about it, the latest of it, in that order."""
        return self._hands.story(fallout_id)

    def claim(self, fallout_id: str, by: str, at: datetime) -> bool:
        """Have a fallout seen to by somebody, who is the only one then. False where there is none.

        Raises:
            Claimed: if somebody else has it.
            FalloutOver: if it is over.
        """
        return self._hands.claim(fallout_id, by, at)

    def hand_over(
        self, fallout_id: str, by: str, at: datetime, *, to: str | None, group: str | None, note: str, anyone: bool
    ) -> bool:
        """Give a fallout to another person, or to a group of whom somebody claims it. False where there is none.

        Raises:
            Claimed: if somebody else has it, and it is not for `anyone` to take it from others.
            FalloutOver: if it is over.
        """
        return self._hands.hand_over(fallout_id, by, at, to=to, group=group, note=note, anyone=anyone)

    def release(self, fallout_id: str, by: str, at: datetime, *, note: str, anyone: bool) -> bool:
        """Have a fallout that somebody saw to free for others again. False where there is none.

        Raises:
            Claimed: if somebody else has it, and it is not for `anyone` to take it from others.
        """
        return self._hands.release(fallout_id, by, at, note=note, anyone=anyone)

    def note(self, fallout_id: str, by: str, at: datetime, note: str) -> bool:
        """Write something about a fallout down, also where it is over. False where there is none."""
        return self._hands.note(fallout_id, by, at, note)
