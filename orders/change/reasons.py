"""Why changes are refused, for people: each reason once, and in a customer's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from orders.model.order import Reason
from orders.model.values import Frozen
from orders.model.writing.wording import Sentence, Wording, wording_of

_WORDS: Final[Mapping[str, Sentence]] = MappingProxyType(
    {
        "already_cancelled": Sentence("The order is cancelled already"),
        "bad_characteristic": Sentence("That cannot be had with this product"),
        "bundle_incomplete": Sentence("The bundle would not be complete"),
        "impact_changed": Sentence("Something has happened meanwhile: please look at the change again"),
        "missing_reliance": Sentence("It needs another product that would not be there any more"),
        "not_in_bundle": Sentence("That is no part of this bundle"),
        "not_let_go": Sentence("It was too late: what was under way could not be stopped"),
        "nothing_left": Sentence("Nothing would be left of the order: it would have to be cancelled"),
        "nothing_to_replace": Sentence("There is nothing yet that could be replaced"),
        "no_visit": Sentence("Nobody has to come for this, so there is no appointment to make"),
        "order_cancelled": Sentence("The order is cancelled"),
        "order_completed": Sentence("The order is done: what is to be different needs a new order"),
        "order_rejected": Sentence("The order could not be taken: what is wanted has to be ordered anew"),
        "order_waits": Sentence("The order waits for another one to be done. Until then it can only be cancelled"),
        "slot_taken": Sentence("Nobody can come then any more"),
        "stale_revision": Sentence("The order was changed meanwhile: please look at it again"),
        "superseded": Sentence("The order was cancelled before this was decided"),
        "too_many_changes": Sentence("Too many changes wait to be decided: please ask again later"),
        "unknown_offering": Sentence("That is not sold"),
    }
)


class ToldReason(Frozen):
    """A reason, once for all `items` that it is about, with words for a customer."""

    code: str
    message: str
    words_wording: Wording
    item: str | None
    items: tuple[str, ...]
    task: str | None

    @property
    def words(self) -> str:
        """In English."""
        return str(self.words_wording)


def told_once(reasons: Iterable[Reason]) -> tuple[ToldReason, ...]:
    """The reasons, those that differ in their items alone as one. What has no words for customers says its message."""
    found: dict[tuple[str, str, str | None], list[Reason]] = {}
    for reason in reasons:
        found.setdefault((reason.code, reason.message, reason.task), []).append(reason)
    return tuple(
        ToldReason(
            code=first.code,
            message=first.message,
            words_wording=_words(first),
            item=first.item,
            items=tuple(same.item for same in (first, *others) if same.item is not None),
            task=first.task,
        )
        for first, *others in found.values()
    )


def _words(reason: Reason) -> Wording:
    known = _WORDS.get(reason.code)
    return wording_of(reason.words or (known() if known is not None else reason.message))
