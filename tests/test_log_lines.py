"""The lines that an order leads to: what each is about, and nothing of what anybody wrote in words."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog

import logs
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until
from worker import say_it_in_fields

SAID = "Mustermann"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What is logged at every level, as JSON."""
    stream, root = StringIO(), logging.getLogger()
    before = root.handlers, root.level, logging.raiseExceptions
    hooks = sys.excepthook, sys.unraisablehook
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure("debug", as_json=True)
    say_it_in_fields()
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers, root.level, logging.raiseExceptions = before
    sys.excepthook, sys.unraisablehook = hooks


def told(lines: StringIO, what: str, order: str) -> list[dict[str, Any]]:
    """The lines of that kind about an order."""
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [line for line in found if (line["event"], line.get("order")) == (what, order)]


async def test_each_thing_that_an_order_goes_through_is_a_line_that_names_nobody(pipe: Pipe, lines: StringIO) -> None:
    await pipe.sim("PUT", "/tv/faults", {"permanent": [{"operation": "subscription", "match": "", "code": "no_pack"}]})
    body = internet_voice_tv()
    body |= {"description": f"for Mrs {SAID}", "note": [{"text": f"ring at {SAID}", "author": SAID}]}
    body["relatedParty"][0]["name"] = SAID
    for item in body["productOrderItem"]:
        item["product"]["place"] = [{**item["product"]["place"][0], "streetName": f"{SAID}weg"}]
    number = body["productOrderItem"][1]["product"]["productCharacteristic"][0]["value"]
    sent = await pipe.http.post(pipe.api("/productOrder"), json=body, headers={"X-Request-Id": "call-1"})
    order, external = sent.json()["id"], body["externalId"]
    assert sent.headers["X-Request-Id"] == "call-1"
    await pipe.until_task(order, "tv/activate-tv", "fallout")
    task = f"{order}.tv.1/tv/activate-tv"
    await pipe.sim("DELETE", "/tv/faults")
    await pipe.change(order, requestId="again", kind="retry", task=task, reason=f"{SAID} says so", requester=SAID)
    await pipe.change(order, requestId="never", kind="retry", task=task, reason=f"{SAID} says so")
    assert (await pipe.outcome(order)).state == "completed"

    async def end_is_told() -> bool:
        return any(line["state"] == "completed" for line in told(lines, "order moved", order))

    await until(end_is_told, "the end to be told")
    [submitted] = told(lines, "order submitted", order)
    assert (submitted["external_id"], submitted["channel"], submitted["request_id"]) == (external, "web", "call-1")
    moved = told(lines, "order moved", order)
    assert [line["state"] for line in moved][:2] == ["acknowledged", "inProgress"]
    assert {line["external_id"] for line in moved} == {external}
    [refused] = told(lines, "call refused", order)
    assert {name: refused[name] for name in ("level", "task", "silo", "verb", "attempt", "code")} == {
        "level": "warning",
        "task": f"{task}/0",
        "silo": "tv",
        "verb": "provision",
        "attempt": 1,
        "code": "no_pack",
    }
    [waits] = told(lines, "a call waits for a person", order)
    assert (waits["task"], waits["silo"], waits["code"], waits["level"]) == (task, "tv", "no_pack", "warning")
    assert {(line["change"], line["verdict"]) for line in told(lines, "change decided", order)} >= {
        ("again", "accepted"),
        ("never", "rejected"),
    }
    assert [line["change"] for line in told(lines, "change asked for", order)] == ["again", "never"]
    assert {line["silo"] for line in told(lines, "silo reported", order)} == {"shipping", "field-service"}
    assert SAID not in lines.getvalue()
    assert number.removeprefix("+") not in lines.getvalue()


def test_lines_of_the_sdk_say_in_fields_which_order_and_attempt_they_are_about(lines: StringIO) -> None:
    at_work = {"workflow_id": "order-web-1", "activity_type": "tv.provision", "attempt": 3, "namespace": "default"}
    logging.getLogger("temporalio.activity").warning("Completing as failed", extra={"temporal_activity": at_work})
    [line] = map(json.loads, lines.getvalue().splitlines())
    del line["time"]
    assert line == {
        "level": "warning",
        "event": "Completing as failed",
        "order": "web-1",
        "activity": "tv.provision",
        "attempt": 3,
    }


def test_below_the_level_that_is_set_nothing_is_told(lines: StringIO) -> None:
    logs.configure("error")
    for name in (logs.OURS, *logs.OF_WORKFLOWS, "somebody.else"):
        logging.getLogger(name).warning("careful")
    assert lines.getvalue() == ""
