"""What silos report is believed of their own tasks only."""

from __future__ import annotations

from dataclasses import asdict

from orders.fulfilment.messages import MOST_EVENTS, SiloEvent
from orders.model import wire_names
from orders.reconcile.outcome import OutcomeKind
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe

VISIT = "installation/visit-site"


async def test_what_a_silo_reports_on_the_task_of_another_changes_nothing(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order, VISIT, "awaiting")
    (visit,) = (await pipe.services(order))["field-service"]
    for silo, kind in (("tv", OutcomeKind.DONE), ("", OutcomeKind.REFUSED), ("shipping", OutcomeKind.LOST)):
        event = SiloEvent(silo, kind, key="" if kind is OutcomeKind.LOST else f"{visit['id']}/0", service=visit["id"])
        await pipe.handle(order).signal(wire_names.SILO_EVENTS_SIGNAL, [event])
    unknown = SiloEvent("tv", OutcomeKind.DONE, key=f"{order}.net.1/telepathy/tune-in/0/0")
    await pipe.handle(order).signal(wire_names.SILO_EVENTS_SIGNAL, [unknown])
    assert (await pipe.tasks(order))[VISIT] == "awaiting"
    done = SiloEvent("field-service", OutcomeKind.DONE, key=f"{visit['id']}/0", outputs={"report_id": "R-1"})
    await pipe.handle(order).signal(wire_names.SILO_EVENTS_SIGNAL, [done])
    await pipe.until_task(order, VISIT, "done")


async def test_what_cannot_be_read_spoils_nothing_that_came_with_it(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order, VISIT, "awaiting")
    (visit,) = (await pipe.services(order))["field-service"]
    done = asdict(SiloEvent("field-service", OutcomeKind.DONE, key=f"{visit['id']}/0", outputs={"report_id": "R-1"}))
    told = [None, [], done | {"kind": "exploded"}, done, done]
    await pipe.handle(order).signal(wire_names.SILO_EVENTS_SIGNAL, told)
    await pipe.until_task(order, VISIT, "done")


async def test_more_events_than_an_order_takes_in_at_one_go_change_nothing(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order, VISIT, "awaiting")
    (visit,) = (await pipe.services(order))["field-service"]
    done = SiloEvent("field-service", OutcomeKind.DONE, key=f"{visit['id']}/0", outputs={"report_id": "R-1"})
    await pipe.handle(order).signal(wire_names.SILO_EVENTS_SIGNAL, [done] * (MOST_EVENTS + 1))
    assert (await pipe.tasks(order))[VISIT] == "awaiting"
    await pipe.handle(order).signal(wire_names.SILO_EVENTS_SIGNAL, [done] * MOST_EVENTS)
    await pipe.until_task(order, VISIT, "done")
