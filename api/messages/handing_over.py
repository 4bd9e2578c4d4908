"""What all ways of handing a message over have in common."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from register.messages.sending import Outgoing, Written

LONGEST_NOTE: Final = 300


class Taken(StrEnum):
    """How a message was taken."""

    YES = "yes"
    REFUSED = "refused"
    """It cannot be delivered to that address, or not that very message."""
    NOT_NOW = "notNow"
    """It has not gone out."""
    UNKNOWN = "unknown"
    """It may have gone out: it was handed over, and no answer came."""


@dataclass(frozen=True, slots=True)
class Handed:
    """How a message was taken, with a note for people."""

    taken: Taken
    note: str


class Way(Protocol):
    """A way for messages to customers."""

    def handing_over(self, outgoing: Outgoing, written: Written) -> AbstractAsyncContextManager[Handed]:
        """Hand a message over. What came of it is to be noted within the context, before anything else is done.

        Handed over again, as after a crash, it has the same key: what takes it can tell by that.
        """
        ...


def note_of(error: BaseException) -> str:
    """What is told of an error, on one line."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:LONGEST_NOTE]
