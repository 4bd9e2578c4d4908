"""What is news: where an order stands now, held against what its customer knows.

It is worked out from the order as it stands and not from what has happened: told again it comes to the same, whatever
was missed in between. Of what cannot be felt, such as states, calls that were refused, and silos, nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from pydantic import JsonValue

from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.model.messaging import Messaging, Topic
from orders.model.order import Site, TimeSlot
from orders.news.hours import clock_of, day_of, due, reminder_due, told_as, zone_of
from orders.news.knowing import Known, known_by
from orders.news.message import Content, FeeTold, Message, MessageState, News, Precision, Thing, Visit
from orders.read_model.records import EventKind, OrderEvent
from orders.read_model.states import ENDS, LifecycleState
from orders.read_model.views import FeeState, OrderView

About: TypeAlias = tuple[Topic, str]
"""A topic, and what of it: a visit's site, a parcel's task."""

OLD_AFTER: Final = timedelta(days=1)
"""An order that its customer has heard nothing of for so long is left alone: it is from before they were told."""

_ROUGHLY_FROM: Final = timedelta(days=1)
"""A promise that is further ahead than this names a day, any other an hour."""

_READ_FIRST: Final = ("streetName", "streetNr", "postcode", "city")


def news_of(
    order: OrderView, reached: Sequence[OrderEvent], messages: Sequence[Message], rules: Messaging, now: datetime
) -> dict[About, News]:
    """All that the customer should be told now or later. `reached` are all milestones of the order, as its events."""
    if not messages and order.ordered_at < now - OLD_AFTER:
        return {}
    return dict(_News(order, reached, messages, rules, now).found())


class _News:
    """The news of one order at one instant."""

    def __init__(
        self,
        order: OrderView,
        reached: Sequence[OrderEvent],
        messages: Sequence[Message],
        rules: Messaging,
        now: datetime,
    ) -> None:
        self.order = order
        self.reached = [event for event in reached if event.kind is EventKind.MILESTONE]
        self.known: Known = known_by(messages)
        self.waiting = {(each.topic, each.subject): each for each in messages if each.state is MessageState.WAITING}
        self.rules = rules
        self.now = now
        self.visited = self._sites_visited()
        self.visits = {visit.site: visit for visit in self._visits()}
        self.zone = clock_of(order, rules)

    def found(self) -> Iterator[tuple[About, News]]:
        if self.order.state in ENDS:
            yield from self._end()
            return
        if not self.known.was_told(Topic.RECEIVED):
            yield self._received()
            return
        yield from self._date()
        yield from self._moved_visits()
        yield from self._reminders()
        yield from self._things()
        yield from self._needed()
        yield from self._removed()

    def _news(self, topic: Topic, content: Content, subject: str = "", at_latest: datetime | None = None) -> News:
        return News(content=content, due=due(topic, self.rules, self.zone, self.now, at_latest=at_latest))

    # How it began, and how it ended

    def _received(self) -> tuple[About, News]:
        date, precision = self._date_now()
        content = Content(
            date=date, precision=precision, visits=tuple(self.visits.values()), items=self._items_in(*_NOT_GIVEN_UP)
        )
        return (Topic.RECEIVED, ""), self._news(Topic.RECEIVED, content)

    def _end(self) -> Iterator[tuple[About, News]]:
        if self.order.state is LifecycleState.REJECTED:
            # Who asked was told so at once, unless it had been taken in before.
            if self.known.was_told(Topic.RECEIVED) and not self.known.was_told(Topic.REJECTED):
                words = tuple(str(reason.words or reason.message) for reason in self.order.reasons)
                yield (Topic.REJECTED, ""), self._news(Topic.REJECTED, Content(reasons=words, whole=True))
        elif self.order.state is LifecycleState.COMPLETED:
            if not self.known.was_told(Topic.DONE):
                items = self._items_in(LifecycleState.COMPLETED)
                yield (Topic.DONE, ""), self._news(Topic.DONE, Content(items=items, fees=self._fees(), whole=True))
        elif not self.known.was_told(Topic.CANCELLED, _WHOLE):
            items, off = self._items_in(LifecycleState.CANCELLED), tuple(self.known.visits.values())
            content = Content(items=items, called_off=off, fees=self._fees(), whole=True)
            yield (Topic.CANCELLED, _WHOLE), self._news(Topic.CANCELLED, content)

    # The promised date

    def _date_now(self) -> tuple[datetime | None, Precision]:
        order = self.order
        promised = order.promised_at
        if promised is None:
            return None, Precision.DAY
        precision = Precision.DAY if promised - order.ordered_at >= _ROUGHLY_FROM else Precision.HOUR
        # A date told anew is one that holds, as far as can be seen: else the next one would follow soon.
        known = order.safe_at or order.expected_at
        late = order.in_jeopardy and known is not None and known > promised
        return known if late else promised, precision

    def _date(self) -> Iterator[tuple[About, News]]:
        (at, precision), before = self._date_now(), self.known.date
        if at is None:
            return
        if before is None:
            yield (Topic.DATE, ""), self._news(Topic.DATE, Content(date=at, precision=precision))
            return
        was_told = told_as(before, self.known.precision, self.zone)
        if told_as(at, precision, self.zone) == was_told or told_as(at, self.known.precision, self.zone) == was_told:
            return
        content = Content(date=at, date_before=before, precision=precision)
        yield (Topic.DATE, ""), self._news(Topic.DATE, content, at_latest=min(at, was_told))

    # Visits

    def _visits(self) -> Iterator[Visit]:
        """Those to come: to sites where something is still to be done, and nobody was yet."""
        sites: dict[str, Site] = {}
        for item in self.order.items:
            if item.site is not None and item.site.id not in self.visited and item.state not in _NOT_VISITED:
                sites.setdefault(item.site.id, item.site)
        for made in self.order.appointments:
            if made.site in sites and (made.end or made.start) > self.now:
                slot = TimeSlot(start=made.start, end=made.end, time_zone=made.time_zone)
                yield Visit(site=made.site, slot=slot, address=_lines(sites[made.site]))

    def _moved_visits(self) -> Iterator[tuple[About, News]]:
        sites_over = self._over()
        for site in dict.fromkeys([*self.visits, *self.known.visits]):
            now, before = self.visits.get(site), self.known.visits.get(site)
            if site in sites_over or _slot(now) == _slot(before):
                continue
            off = (before,) if before is not None and now is None else ()
            content = Content(visits=(now,) if now is not None else (), called_off=off)
            yield (Topic.VISIT, site), News(content=content, due=self._due_of_visit(now, before))

    def _due_of_visit(self, *visits: Visit | None) -> datetime:
        """At once where one of them is on the same day, whatever the hour."""
        for visit in visits:
            if visit is not None and day_of(visit) == self.now.astimezone(zone_of(visit)).date():
                return self.now
        zone = next(zone_of(visit) for visit in visits if visit is not None)
        return due(Topic.VISIT, self.rules, zone, self.now)

    def _sites_visited(self) -> set[str]:
        items = {
            item
            for event in self.reached
            if event.data.get("milestone") in self.rules.visit_over
            for item in _texts(event.data.get("items"))
        }
        return {item.site.id for item in self.order.items if item.site is not None and item.id in items}

    def _over(self) -> set[str]:
        """Sites of visits that took place, or whose time is past: they are not called off."""
        known = self.known.visits.items()
        return self.visited | {site for site, visit in known if (visit.slot.end or visit.slot.start) <= self.now}

    def _reminders(self) -> Iterator[tuple[About, News]]:
        for site, visit in self.visits.items():
            about, at = (Topic.VISIT_REMINDER, site), reminder_due(visit, self.rules)
            if _slot(self.known.reminded.get(site)) == _slot(visit):
                continue
            held = self.waiting.get(about)
            kept = held is not None and [_slot(each) for each in held.content.visits] == [_slot(visit)]
            # Of a visit that was made for tomorrow this evening, one is told anyway.
            if self.now < at or (kept and self.now < visit.slot.start):
                yield about, News(content=Content(visits=(visit,)), due=at)

    # What was reached

    def _things(self) -> Iterator[tuple[About, News]]:
        found: dict[About, list[Thing]] = {}
        gone = {item.id for item in self.order.items if item.state in _GIVEN_UP}
        for event in self.reached:
            milestone, task = str(event.data.get("milestone")), str(event.data.get("task"))
            topic = self.rules.milestones.get(milestone)
            items = tuple(item for item in _texts(event.data.get("items")) if item not in gone)
            if topic is None or event.number in self.known.things or not items:
                continue
            subject = task if topic is Topic.SHIPPED else ""
            thing = Thing(event=event.number, milestone=milestone, task=task, items=items)
            found.setdefault((topic, subject), []).append(thing)
        for about, things in found.items():
            yield about, self._news(about[0], Content(things=tuple(things)))

    # What is up to the customer

    def _needed(self) -> Iterator[tuple[About, News]]:
        asked = _unanswered(self.order.changes)
        if asked is None or self.known.was_told(Topic.NEEDS_YOU, asked.request_id):
            return
        fees = asked.impact.fees if asked.impact is not None else ()
        told = tuple(FeeTold(change=asked.request_id, fee=fee) for fee in fees)
        content = Content(change=asked.request_id, fees=told, whole=asked.kind is ChangeKind.CANCEL)
        yield (Topic.NEEDS_YOU, asked.request_id), self._news(Topic.NEEDS_YOU, content)

    def _removed(self) -> Iterator[tuple[About, News]]:
        removed = tuple(item for item in self._items_in(LifecycleState.CANCELLED) if item not in self.known.cancelled)
        if removed:
            yield (Topic.CANCELLED, ""), self._news(Topic.CANCELLED, Content(items=removed, fees=self._fees()))

    def _fees(self) -> tuple[FeeTold, ...]:
        """The fees that the customer has not heard of yet in the end."""
        owed = (fee for fee in self.order.fees if fee.state is not FeeState.NOT_OWED)
        return tuple(FeeTold(change=fee.change, fee=fee.fee) for fee in owed if fee.change not in self.known.fees)

    # Items and places

    def _items_in(self, *states: LifecycleState) -> tuple[str, ...]:
        """The items in some states: a bundle rather than what is in it, unless that is in another state."""
        found = {item.id for item in self.order.items if item.state in states}
        return tuple(item.id for item in self.order.items if item.id in found and item.parent not in found)


_WHOLE: Final = "order"
_NOT_VISITED: Final = (LifecycleState.COMPLETED, LifecycleState.CANCELLED, LifecycleState.PENDING_CANCELLATION)
_GIVEN_UP: Final = (LifecycleState.CANCELLED, LifecycleState.PENDING_CANCELLATION)
_NOT_GIVEN_UP: Final = tuple(state for state in LifecycleState if state not in _GIVEN_UP)


def _unanswered(log: Iterable[Verdict]) -> Verdict | None:
    """The change that was refused because nobody has accepted its fee, if nothing came of it or of another since."""
    asked = None
    for verdict in log:
        if verdict.state is ChangeState.REJECTED:
            refused = any(reason.code == "fee_not_accepted" for reason in verdict.reasons)
            asked = verdict if refused else asked
        elif verdict.kind not in (ChangeKind.RETRY, ChangeKind.RESOLVE, ChangeKind.CHANGE_PROMISE):
            asked = None
    return asked


def _slot(visit: Visit | None) -> tuple[datetime, datetime | None] | None:
    return None if visit is None else (visit.slot.start, visit.slot.end)


def _lines(site: Site) -> tuple[str, ...]:
    """The address as one writes it."""
    street, number, postcode, city = (_word(site.address.get(name)) for name in _READ_FIRST)
    lines = (f"{street} {number}".strip(), f"{postcode} {city}".strip())
    return tuple(line for line in lines if line)


def _word(value: JsonValue) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _texts(value: JsonValue) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
