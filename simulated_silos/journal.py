"""The journal: every call that arrived at any silo, in order of arrival."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

from simulated_silos.silo.model import JournalEntry


class Journal:
    """Entries as JSON, which takes a quarter of the room that objects take: benchmarks make a million of them."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._by_silo: defaultdict[str, list[int]] = defaultdict(list)
        self._by_order: defaultdict[str, list[int]] = defaultdict(list)
        self.last_seq = 0

    def add(self, entry: JournalEntry) -> None:
        """Take an entry in."""
        place = len(self._lines)
        self._lines.append(entry.model_dump_json().encode())
        self._by_silo[entry.silo].append(place)
        if entry.order is not None:
            self._by_order[entry.order].append(place)
        self.last_seq = entry.seq

    def as_json(self, silo: str | None = None, order: str | None = None, after: int = 0) -> bytes:
        """The entries of a silo, of an order, of both, or all, as a JSON list: those later than the one numbered so."""
        if order is None:
            places = range(len(self._lines)) if silo is None else self._by_silo.get(silo, [])
        else:
            places = self._by_order.get(order, [])
            if silo is not None:
                its = set(self._by_silo.get(silo, []))
                places = [place for place in places if place in its]
        # Entries are numbered from 1, so a number is the place of the next one.
        return b"[" + b",".join(self._lines[place] for place in places[bisect_left(places, after) :]) + b"]"
