"""A sketch of durations: a histogram over powers of 1.1 that forgets slowly. Small, and two of them can be added."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from orders.model.plan import Takes
from orders.model.values import Frozen

HALF_LIFE: Final = timedelta(days=14)
"""After how long what was seen counts half as much."""
ENOUGH: Final = 30.0
"""From how many on what was seen is more than chance."""
LIKELY, SAFE = 0.5, 0.9

_WIDTH: Final = math.log(1.1)
_SHORTEST_S: Final = 0.01
_FORGOTTEN: Final = 0.001


class Sketch(Frozen):
    """What was seen of one kind of work, by logarithm of the seconds that it took, as it counts at an instant."""

    weights: Mapping[int, float] = {}
    at: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def seen(self, seconds: float, at: datetime) -> Sketch:
        """With another one, that ended at an instant."""
        place = math.floor(math.log(max(seconds, _SHORTEST_S)) / _WIDTH)
        return self.merged(Sketch(weights={place: 1.0}, at=at))

    def merged(self, other: Sketch) -> Sketch:
        """Both together."""
        at = max(self.at, other.at)
        total = dict(self._at(at))
        for place, weight in other._at(at).items():
            total[place] = total.get(place, 0.0) + weight
        return Sketch(weights={place: total[place] for place in sorted(total) if total[place] > _FORGOTTEN}, at=at)

    def counts(self, now: datetime) -> float:
        """How many it stands for now."""
        return sum(self._at(max(now, self.at)).values())

    def quantile(self, share: float) -> float:
        """The seconds within which that share of all was done."""
        left = share * sum(self.weights.values())
        for place, weight in sorted(self.weights.items()):
            if weight >= left:
                return math.exp((place + left / weight) * _WIDTH)
            left -= weight
        return math.exp((max(self.weights, default=0) + 1) * _WIDTH)

    def takes(self, now: datetime) -> Takes | None:
        """What to expect, if enough was seen."""
        if self.counts(now) < ENOUGH:
            return None
        return Takes(round(self.quantile(LIKELY), 3), round(self.quantile(SAFE), 3))

    def _at(self, at: datetime) -> dict[int, float]:
        kept = 0.5 ** ((at - self.at) / HALF_LIFE)
        return {place: weight * kept for place, weight in self.weights.items()}
