"""How one fallout can be set right: each way with the request that asks for it, and what it would do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from orders.change.request import ChangeKind
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Catalog
from orders.model.expressions import references
from orders.model.order import Item
from orders.model.writing.json_values import JsonObject
from orders.model.writing.wording import Sentence, Wording
from orders.reconcile.ledger import operation_name
from orders.tracking.what_if.options import Trials
from orders.tracking.what_if.trial import Option, Trial
from orders.tracking.what_if.ways import Way, ways_out

MOST_ITEMS: Final = 5
"""Items for which it is told what may be corrected or cancelled."""


class OfferedWay(Option):
    """A way to set a fallout right, and in words what it would do. `request` asks for it, with what it `takes`."""

    way: Way
    request: JsonObject
    words_wording: Wording

    @property
    def words(self) -> str:
        """In English."""
        return str(self.words_wording)


_ASKED_AGAIN: Final = Sentence("{silo} is asked again: {title}")
_ASKED_AGAIN_WITH: Final = Sentence("{silo} is asked again, with {given} as given for this one call: {title}")
_COUNTS_AS_UNDONE: Final = Sentence("{title} counts as undone, by hand")
_COUNTS_AS_DONE: Final = Sentence("{title} counts as done")
_COUNTS_AS_DONE_WITH: Final = Sentence("{title} counts as done, with {given} as told")
_GOES_ON_WITHOUT: Final = Sentence("The order goes on without: {title}")
_COUNTS_AS_KEPT: Final = Sentence("{silo} is not asked any more to undo: {title}; it counts as kept")
_COUNTS_AS_SUNK: Final = Sentence("{silo} is not asked any more to undo: {title}; it counts as sunk")
_GETS_ANOTHER: Final = Sentence("{item} gets another {name}, and what that changes is planned anew")
_BECOMES: Final = Sentence("{item} becomes {title}")
_IS_CANCELLED: Final = Sentence("{item} is cancelled, with what depends on it")


def ways_of(order: Fulfilment, catalog: Catalog, task: str, now: datetime) -> tuple[OfferedWay, ...]:
    """All ways there are now. None where nothing of the task waits for a person."""
    trials = Trials(order, catalog, now)
    if task not in trials.fallout:
        return ()
    return tuple(_Offering(order, catalog, task, trials).ways())


class _Offering:
    def __init__(self, order: Fulfilment, catalog: Catalog, task: str, trials: Trials) -> None:
        self._order = order
        self._catalog = catalog
        self._task = task
        self._trials = trials
        self._operation = order.reconciler.ledger.operation_of(task)

    def ways(self) -> Iterator[OfferedWay]:
        for trial in ways_out(self._order, self._task):
            yield self._settling(trial)
        for name in self._order.progress.items_of(self._task)[:MOST_ITEMS]:
            item = self._order.revision.by_id().get(name)
            if item is not None:
                yield from self._corrections(item)
                yield self._cancelling(item)

    def _settling(self, trial: Trial) -> OfferedWay:
        request: JsonObject = {"kind": trial.kind.value, "task": self._task}
        if trial.kind is ChangeKind.RESOLVE:
            request["resolution"] = str(trial.value)
        way = Way(str(trial.value)) if trial.value is not None else Way.RETRY
        return self._offered(way, trial, request, self._words(way, trial.takes))

    def _words(self, way: Way, takes: tuple[str, ...]) -> Wording:
        title, silo = self._operation.words, self._operation.silo
        told = ", ".join(name for name in takes if name not in ("requester", "reason"))
        leaves = any(task == self._task for task, _ in self._order.reconciler.refused_compensations)
        match way:
            case Way.OTHER_INPUT:
                return _ASKED_AGAIN_WITH(silo=silo, given=told, title=title)
            case Way.DONE if leaves:
                return _COUNTS_AS_UNDONE(title=title)
            case Way.DONE:
                return _COUNTS_AS_DONE_WITH(title=title, given=told) if told else _COUNTS_AS_DONE(title=title)
            case Way.WAIVED:
                return _GOES_ON_WITHOUT(title=title)
            case Way.KEPT:
                return _COUNTS_AS_KEPT(silo=silo, title=title)
            case Way.SUNK:
                return _COUNTS_AS_SUNK(silo=silo, title=title)
            case _:
                return _ASKED_AGAIN(silo=silo, title=title)

    def _corrections(self, item: Item) -> Iterator[OfferedWay]:
        """Amendments of what goes into the call: a characteristic, by the first value to be had; another offering."""
        told = self._characteristics()
        tried: dict[str, tuple[Trial, Option]] = {}
        for trial in self._trials.characteristics(item):
            known = tried.get(trial.name or "")
            if trial.name in told and (known is None or not known[1].possible):
                tried[trial.name] = trial, self._trials.tried(trial)
        yield from self._other_offerings(item, told)
        for name, (trial, option) in tried.items():
            request: JsonObject = {"kind": trial.kind.value, "update": [{"id": item.id, "characteristics": {}}]}
            words = _GETS_ANOTHER(item=item.id, name=name)
            yield _offered(Way.CORRECTED, option, request, words, (name,))

    def _other_offerings(self, item: Item, told: set[str]) -> Iterator[OfferedWay]:
        """Those that fix another value of what goes into the call."""
        now = self._catalog.offerings[item.offering].characteristics
        for trial in self._trials.offerings(item):
            fixed = self._catalog.offerings[str(trial.value)].characteristics
            if any(name in now and fixed.get(name) != now[name] for name in told):
                request: JsonObject = {
                    "kind": trial.kind.value,
                    "update": [{"id": item.id, "offering": str(trial.value)}],
                }
                title = self._catalog.offerings[str(trial.value)].title or str(trial.value)
                words = _BECOMES(item=item.id, title=title)
                yield self._offered(Way.CORRECTED, trial, request, words)

    def _characteristics(self) -> set[str]:
        """The characteristics that the task's inputs come from."""
        name, _, task = operation_name(self._task).partition("/")
        specification = self._catalog.specifications.get(name)
        template = specification.tasks.get(task) if specification is not None else None
        inputs = template.inputs.values() if template is not None else ()
        found = {each for given in inputs for each in references(given.value)}
        return {each.name.rpartition(".")[2] for each in found if each.namespace in ("char", "each")}

    def _cancelling(self, item: Item) -> OfferedWay:
        trial = self._trials.removal(item)
        request: JsonObject = {"kind": trial.kind.value, "items": [item.id], "cascade": True}
        return self._offered(Way.ITEM_CANCELLED, trial, request, _IS_CANCELLED(item=item.id))

    def _offered(self, way: Way, trial: Trial, request: JsonObject, words: Wording) -> OfferedWay:
        return _offered(way, self._trials.tried(trial), request, words, trial.takes)


def _offered(way: Way, option: Option, request: JsonObject, words: Wording, takes: tuple[str, ...]) -> OfferedWay:
    return OfferedWay.model_validate(
        {**dict(option), "way": way, "request": request, "words_wording": words, "takes": takes}
    )
