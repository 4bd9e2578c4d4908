"""The changes that have arrived at an order and are still to be decided, in order of arrival: only so many at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator

from orders.change.request import ChangeKind, ChangeRequest
from orders.model.budget import INBOX


class Inbox(Collection[ChangeRequest]):
    """What waits, and whose request ids are taken by it, or by the change that is being decided."""

    def __init__(self) -> None:
        self._waiting: deque[ChangeRequest] = deque()
        self._fingerprints: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[ChangeRequest]:
        return iter(self._waiting)

    def __contains__(self, change: object) -> bool:
        return change in self._waiting

    @property
    def taken(self) -> Collection[str]:
        """The request ids that are taken."""
        return self._fingerprints.keys()

    def fingerprint(self, request_id: str) -> str | None:
        """That of the request which has an id. None where it is free."""
        return self._fingerprints.get(request_id)

    def has_room_for(self, change: ChangeRequest) -> bool:
        """False where very many wait already. For a first cancellation there is always room."""
        if len(self._waiting) < INBOX:
            return True
        cancels = change.kind is ChangeKind.CANCEL
        return cancels and all(waiting.kind is not ChangeKind.CANCEL for waiting in self._waiting)

    def put(self, change: ChangeRequest, *, is_known: bool) -> None:
        """Have a change wait. The id of one that `is_known`, decided before, is not taken by it."""
        self._waiting.append(change)
        if not is_known:
            self._fingerprints.setdefault(change.request_id, change.fingerprint)

    def take_first(self, ready: Callable[[ChangeRequest], bool]) -> ChangeRequest | None:
        """Take out the first that is ready. None where there is none."""
        for place, change in enumerate(self._waiting):
            if ready(change):
                del self._waiting[place]
                return change
        return None

    def decided(self, request_id: str) -> None:
        """A change was decided: from now on its verdict stands for it."""
        self._fingerprints.pop(request_id, None)
