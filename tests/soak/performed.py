"""What came of scripts that were performed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.soak.script import Restart, Script


@dataclass
class Performed:
    """What came of a script, or of a follower in it."""

    script: Script
    order: str = ""
    turned_away: bool = False
    """True where the order was rejected as it came in: it has no workflow."""
    asked: dict[str, str] = field(default_factory=dict)
    """Every change that was taken in, by request id, with the state that was answered; "" where none was."""
    written_off: dict[str, set[str]] = field(default_factory=dict)
    """Services that a person decided to leave with their silos, by the id of that request."""
    restarts: list[Restart] = field(default_factory=list)
    later_restarts: list[Restart] = field(default_factory=list)
    followers: list[Performed] = field(default_factory=list)
    """Those that were submitted, in the order in which they came."""
    trouble: str = ""
    bad_answers: list[str] = field(default_factory=list)
    """To hostile messages."""

    @property
    def met(self) -> Script:
        """A script that says by itself all that happened: with what other histories brought about while it ran."""
        own = [step for step in self.script.steps if not isinstance(step, Restart)]
        steps = sorted([*own, *self.restarts], key=lambda step: step.after)
        return self.script.model_copy(update={"steps": tuple(steps), "later_restarts": tuple(self.later_restarts)})

    def all(self) -> Iterator[Performed]:
        """It, and its followers."""
        yield self
        yield from self.followers
