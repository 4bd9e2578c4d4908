"""The log of changes: what was decided about each. It is carried with the order, so it is bounded: the oldest go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from orders.change.request import ChangeState, Verdict
from orders.model.budget import LOG

_REFUSED = (ChangeState.REJECTED, ChangeState.SUPERSEDED)


class ChangeLog:
    """Verdicts by request id, in the order of decision, and among them what is being assessed, since when.

    What was refused goes first, and never what is still being assessed, or what somebody waits for. A request whose
    entry is gone counts as a new one should it come again.
    """

    def __init__(self, verdicts: dict[str, Verdict]) -> None:
        self._verdicts = verdicts
        self._sizes = {request_id: _size_of(verdict) for request_id, verdict in verdicts.items()}
        self._size = sum(self._sizes.values())
        self._awaited: Counter[str] = Counter()
        self._news: dict[str, Verdict] = {}

    def anew(self, verdicts: dict[str, Verdict]) -> ChangeLog:
        """Another log, with the same verdicts awaited."""
        log = ChangeLog(verdicts)
        log._awaited = self._awaited
        log._news = {request_id: verdicts[request_id] for request_id in self._news if request_id in verdicts}
        return log

    def keep(self, verdict: Verdict) -> None:
        """Enter a verdict, in place of one about the same request."""
        known = self._verdicts.get(verdict.request_id)
        if known is not None and known.state is ChangeState.ASSESSING:
            del self._verdicts[verdict.request_id]  # Its place is that of its decision.
        size = _size_of(verdict)
        self._size += size - self._sizes.get(verdict.request_id, 0)
        self._sizes[verdict.request_id] = size
        self._verdicts[verdict.request_id] = verdict
        if verdict.state is not ChangeState.APPLIED:  # That is told by how the order ends.
            self._news[verdict.request_id] = verdict
        if self._size > LOG:
            self._forget(verdict.request_id)

    def take_news(self) -> tuple[Verdict, ...]:
        """What was decided since this was last asked, or is being assessed."""
        news, self._news = tuple(self._news.values()), {}
        return news

    @property
    def decided(self) -> tuple[Verdict, ...]:
        """What was decided, in that order."""
        return tuple(each for each in self._verdicts.values() if each.state is not ChangeState.ASSESSING)

    @property
    def assessed(self) -> tuple[Verdict, ...]:
        """What is being assessed."""
        return tuple(each for each in self._verdicts.values() if each.state is ChangeState.ASSESSING)

    @contextmanager
    def awaiting(self, request_id: str) -> Generator[None]:
        """Meanwhile the verdict on that request is not forgotten."""
        self._awaited[request_id] += 1
        try:
            yield
        finally:
            self._awaited[request_id] -= 1

    def _forget(self, newest: str) -> None:
        decided = [
            verdict
            for verdict in self._verdicts.values()
            if verdict.state is not ChangeState.ASSESSING
            and verdict.request_id != newest
            and not self._awaited[verdict.request_id]
        ]
        # Half of it at once, so that what comes after has room and need not look for some.
        for verdict in sorted(decided, key=lambda verdict: verdict.state not in _REFUSED):
            if self._size <= LOG // 2:
                break
            del self._verdicts[verdict.request_id]
            self._size -= self._sizes.pop(verdict.request_id)


def _size_of(verdict: Verdict) -> int:
    return len(verdict.model_dump_json())
