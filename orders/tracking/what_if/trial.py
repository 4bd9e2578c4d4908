"""One change that is tried on a copy of an order, and how it is told as an option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from orders.change.objections import fee_in_words, past_no_return
from orders.change.request import ChangeKind, ItemUpdate, Subject
from orders.model.order import Reason
from orders.model.values import Frozen, Money
from orders.tracking.what_if.outlook import Prospect


class Option(Frozen):
    """One change, as it could be asked for now by a request of this kind.

    `name` is the characteristic, site, task or silo, `value` what it would become: None where any other value means the
    same. Another offering is meant with the characteristics that it comes with. Of fallout, `value` is the way to set
    it right, and `takes` what a person has to say for that: fields of the request, or names within one.
    `possible` may depend on the fees told, and on silos that let go of the tasks in `asks`. `until` is the instant at
    which the answer is expected to get worse. `along` are other items that go with a removed one. `why_fees` says in a
    customer's words what fees are for.
    """

    kind: ChangeKind
    subject: Subject
    name: str | None = None
    value: JsonValue = None
    possible: bool
    until: datetime | None = None
    fees: tuple[Money, ...] = ()
    why_fees: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    along: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A change to be tried, and how the option is told. `without` is the item that it removes."""

    kind: ChangeKind
    subject: Subject
    name: str | None = None
    value: JsonValue = None
    fields: Mapping[str, object] | None = None
    without: str | None = None
    takes: tuple[str, ...] = ()

    def told(
        self, prospect: Prospect | None = None, along: tuple[str, ...] = (), reasons: tuple[Reason, ...] = ()
    ) -> Option:
        """As an option: refused for some reasons, or with what it meets. What moves no target meets nothing."""
        reasons = reasons or (tuple(past_no_return(prospect.impact)) if prospect is not None else ())
        impact = prospect.impact if prospect is not None else None
        return Option(
            kind=self.kind,
            subject=self.subject,
            name=self.name,
            value=self.value,
            possible=not reasons,
            until=prospect.until if prospect is not None and not reasons else None,
            fees=tuple(impact.fees) if impact is not None else (),
            why_fees=tuple(dict.fromkeys(str(fee_in_words(each)) for each in impact.charged))
            if impact is not None
            else (),
            asks=impact.asks if impact is not None else (),
            along=along,
            takes=self.takes,
            reasons=reasons,
        )


def updated(subject: Subject, update: ItemUpdate, name: str | None = None, value: JsonValue = None) -> Trial:
    """An item that is to be different in one way."""
    return Trial(ChangeKind.AMEND, subject, name, value, {"update": (update,)})
