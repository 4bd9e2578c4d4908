"""How much is taken in: bytes in a request, and requests in a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Send
from starlette.types import Scope as AsgiScope

from api.access import limits
from api.access.guard import Doorkeeper, Guard
from api.access.limits import RateLimit
from api.access.principal import Scope
from api.access.tokens import Keys, Tokens
from api.blocking import bill
from api.errors import BodyTooSlow, TooManyRequests
from api.routes.codec import for_pages
from settings import Settings
from tests.api.conftest import ORDERS, Door, ShutDoor, opened
from tests.given.households import internet_voice_tv

JSON = {"content-type": "application/json"}


async def in_pieces(content: bytes) -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for at in range(0, len(content), 1000):
        yield content[at : at + 1000]


def with_limits(door: Door, **given: object) -> Settings:
    return Settings.model_validate({**door.settings.model_dump(), **given})


async def test_a_body_is_too_large_whether_it_says_how_long_it_is_or_not(door: Door) -> None:
    order = json.dumps(internet_voice_tv()).encode()
    async with opened(with_limits(door, max_body_bytes=len(order)), door.client) as http:
        answers = [
            await http.post(ORDERS, content=content, headers=JSON)
            for content in (order + b" ", in_pieces(order + b" " * 5000), order, in_pieces(order))
        ]
    assert [answer.status_code for answer in answers] == [413, 413, 201, 200]
    assert answers[0].json()["code"] == "body_too_large"
    assert answers[0].json()["message"] == f"At most {len(order)} bytes are taken in one request"
    assert answers[0].headers["connection"] == "close"


async def test_of_a_body_that_is_too_large_no_more_is_read_than_shows_it(door: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b"x" * 1000

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": await anext(pieces), "more_body": True}

    pieces = endless()
    with pytest.raises(limits.BodyTooLarge):
        await limits.read_body({"headers": [(b"transfer-encoding", b"chunked")]}, receive, 10_000)
    assert sent == 11_000


async def test_who_sends_no_token_is_refused_before_the_body_is_read(shut_door: ShutDoor) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = await shut_door.http.post(ORDERS, content=never(), headers=JSON)
    assert answer.status_code == 401


async def test_a_caller_that_asks_too_often_is_told_when_to_go_on_and_no_other_is_stopped(
    shut_door: ShutDoor,
) -> None:
    path = f"{ORDERS}/web-000000000000"
    eager, calm = (shut_door.as_(Scope.OPERATE, subject=name) for name in ("eager", "calm"))
    async with opened(with_limits(shut_door, rate_per_second=0.1), shut_door.client) as http:
        assert (await http.get(path, headers=eager)).status_code == 404
        refused = await http.get(path, headers=eager)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert refused.json()["message"] == "At most 0.1 a second are taken from one caller"
        assert int(refused.headers["retry-after"]) >= 1  # By what the first one cost.
        assert (await http.get(path, headers=calm)).status_code == 404
        assert [(await http.get(path)).status_code for _ in range(2)] == [401, 429]
        assert (await http.get("/healthz")).status_code == 200


async def test_a_silo_that_reports_is_never_told_to_wait(shut_door: ShutDoor) -> None:
    async with opened(with_limits(shut_door, rate_per_second=0.1), shut_door.client) as http:
        answers = [await http.post("/callbacks/shipping", headers=shut_door.as_silo()) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {400}


class Clock:
    """Time that stands still until told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(rate: RateLimit, caller: str, times: int) -> int:
    """How many of so many requests are let through."""
    count = 0
    for _ in range(times):
        try:
            rate.take(caller)
        except TooManyRequests:
            continue
        count += 1
    return count


def test_a_rate_is_an_average_with_ten_seconds_worth_at_once() -> None:
    clock = Clock()
    rate = RateLimit(2, clock)
    assert taken(rate, "a", 30) == 20
    clock.now = 3
    assert taken(rate, "a", 30) == 6
    clock.now = 1000
    assert taken(rate, "a", 30) == 20
    with pytest.raises(TooManyRequests) as caught:
        rate.take("a")
    assert caught.value.headers == {"Retry-After": "1"}


def test_only_so_many_callers_are_remembered_and_the_one_that_was_quiet_longest_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_MOST_CALLERS", 2)
    rate = RateLimit(0.1, Clock())
    assert [taken(rate, caller, 1) for caller in ("a", "b", "c", "b", "a")] == [1, 1, 1, 0, 1]


def test_what_a_request_cost_is_waited_for_by_its_caller_alone() -> None:
    clock = Clock()
    rate = RateLimit(2, clock)
    rate.charge("a", 0)
    assert taken(rate, "b", 1) == taken(rate, "a", 1) == 1
    rate.charge("a", 29 * limits.REQUEST_CPU_S)
    assert (taken(rate, "a", 1), taken(rate, "b", 1)) == (0, 1)
    clock.now = 5
    assert taken(rate, "a", 1) == 0
    clock.now = 6
    assert taken(rate, "a", 9) == 2


@pytest.mark.parametrize(("cpu_s", "answers"), [(0.0, [200, 200, 200]), (10.0, [200, 429, 429])])
async def test_whoever_asks_for_much_work_is_told_to_wait_until_it_is_paid_for(
    cpu_s: float, answers: list[int]
) -> None:
    async def works(scope: AsgiScope, receive: Receive, send: Send) -> None:
        bill(cpu_s)
        await PlainTextResponse("done")(scope, receive, send)

    guard = Guard(works, doorkeeper=None, rate=RateLimit(1), most_bytes=1000, names=["*"])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(guard), base_url="http://127.0.0.1") as caller:
        assert [(await caller.get("/x")).status_code for _ in answers] == answers


async def test_whoever_sends_much_is_told_to_wait_until_it_is_paid_for() -> None:
    async def works(scope: AsgiScope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("done")(scope, receive, send)

    guard = Guard(works, doorkeeper=None, rate=RateLimit(1), most_bytes=10**7, names=["*"])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(guard), base_url="http://127.0.0.1") as caller:
        for length, answers in ((100, [200, 200]), (10**6, [200, 429])):
            assert [(await caller.post("/x", content=bytes(length))).status_code for _ in answers] == answers


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_WITHIN_S", 0.01)

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    with pytest.raises(BodyTooSlow):
        await limits.read_body({"headers": [(b"content-length", b"10")]}, receive, 10_000)


async def test_who_sends_no_token_to_the_codec_is_refused_before_the_body_is_read(shut_door: ShutDoor) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = await shut_door.http.post("/codec/decode", content=never(), headers=JSON)
    assert (answer.status_code, answer.headers["connection"]) == (401, "close")


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
async def test_who_sends_no_token_to_a_closed_codec_is_answered_before_any_route_is_looked_for(method: str) -> None:
    async def never(scope: AsgiScope, receive: Receive, send: Send) -> None:
        raise AssertionError("a route was looked for")

    page = "http://127.0.0.1:8233"
    nobody = Doorkeeper(Tokens("issuer", "audience", Keys("/no/such/file")), {})
    guard = Guard(
        never, nobody, RateLimit(10), most_bytes=10, names=["*"], for_pages=lambda answer: for_pages(answer, page)
    )
    asked = {"origin": page, "access-control-request-method": "POST"} if method == "OPTIONS" else {"origin": page}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(guard), base_url="http://127.0.0.1") as caller:
        answer = await caller.request(method, "/codec/decode", headers=asked)
    assert answer.status_code == (200 if method == "OPTIONS" else 401)
    assert answer.headers["access-control-allow-origin"] == page
