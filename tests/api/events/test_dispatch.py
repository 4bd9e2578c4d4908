"""Delivery of events: real subscribers on loopback, a register of its own, and a clock that goes as told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select
from standardwebhooks import Webhook, WebhookVerificationError

from api.background import run_in_background
from api.events.dispatch import BATCH, Dispatcher, Forgetter
from api.events.event_sender import Reception, Taken, event_sender
from api.events.guarded_network import IpAddress
from api.events.webhook_secret import new_secret
from api.tmf.links import Links
from orders.read_model.records import EventKind, OrderEvent, OrderRecord
from orders.read_model.subscription import EventFilter
from register import Register
from register.events.deliveries import LONGEST_PAUSE, PATIENCE, Deliveries, Delivery, Lease
from register.events.subscriptions import Subscription, SubscriptionStatus
from register.tables.events import DELIVERIES
from tests.given.registers import NOON, a_view, emptied
from tests.running.pipe import free_port, until
from tests.running.subscribers import Subscriber, subscribed

SECRET = new_secret().get_secret_value()
LINKS = Links(api="http://api.example", web_ui="http://temporal.example")


class Clock:
    """The time, from now on, moved by hand."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC) + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.at


class Watched(Deliveries):
    """Knows how many events were in memory at once for a subscription."""

    most = 0

    def batch(self, lease: Lease, most: int) -> list[Delivery]:
        found = super().batch(lease, most)
        self.most = max(self.most, len(found))
        return found


class Post:
    """A register, and whoever delivers from it."""

    def __init__(self, register: Register, clock: Clock) -> None:
        self.register = register
        self.clock = clock
        self.told = 0

    def subscribe(self, callback: str, subscription_id: str = "S1") -> None:
        self.register.subscriptions.add(
            Subscription(
                id=subscription_id,
                callback=callback,
                query="",
                filter=EventFilter(),
                owner="shop",
                channel=None,
                customer_id=None,
                secret=SecretStr(SECRET),
                created_at=datetime.now(UTC),
            )
        )

    def tell(self, events: int = 1, order_id: str = "O1") -> list[str]:
        """Write down that an order moved, so many times. Gives the ids of the events."""
        numbers = range(self.told + 1, self.told + 1 + events)
        self.told += events
        data: dict[str, Any] = {"state": "inProgress", "items": {"1": "inProgress"}}
        moves = [OrderEvent(number=n, at=NOON, kind=EventKind.STATE_CHANGED, data=data) for n in numbers]
        self.register.records.record(OrderRecord(version=self.told, view=a_view(order_id), events=tuple(moves)))
        return [f"{order_id}-{n}" for n in numbers]

    @asynccontextmanager
    async def delivering(
        self, *, allow_internal: bool = True, deliveries: Deliveries | None = None
    ) -> AsyncIterator[None]:
        async with event_sender(allow_internal=allow_internal, connections=50, now=self.clock) as sender:
            found = deliveries or self.register.deliveries
            async with run_in_background(Dispatcher(found, sender, LINKS, now=self.clock, poll_every_s=0.01).run()):
                yield

    def status(self, subscription_id: str = "S1") -> SubscriptionStatus:
        found = self.register.subscriptions.find(subscription_id)
        assert found is not None
        return found

    async def until(self, there: Callable[[SubscriptionStatus], object], what: str) -> None:
        """Wait until a subscription fares like that."""

        async def fares() -> bool:
            return bool(there(await asyncio.to_thread(self.status)))

        await until(fares, what, 15)

    async def settled(self) -> None:
        """Wait until nothing is pending."""
        await self.until(lambda status: not status.pending, "everything to be delivered or parked")


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    with closing(Register(f"sqlite:///{tmp_path_factory.mktemp('dispatch') / 'register.db'}")) as register:
        yield register


@pytest.fixture
def post(on_disk: Register) -> Post:
    return Post(emptied(on_disk), Clock())


async def test_events_arrive_in_order_each_at_the_address_of_its_kind(post: Post) -> None:
    async with subscribed() as subscriber, post.delivering():
        post.subscribe(f"{subscriber.url}/hear/us?token=x")
        told = post.tell(5)
        await post.settled()
    assert subscriber.ids == told
    assert {each.path for each in subscriber.received} == {
        "/hear/us/listener/productOrderStateChangeEvent?token=x",
    }
    assert subscriber.received[0].headers["content-type"] == "application/json;charset=utf-8"
    assert subscriber.received[0].event["event"]["productOrder"]["state"] == "inProgress"


async def test_what_was_delivered_is_forgotten_once_it_is_old(post: Post) -> None:
    async def remembered() -> int:
        with post.register.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(DELIVERIES)) or 0

    async def forgotten() -> bool:
        return not await remembered()

    async with subscribed() as subscriber, post.delivering():
        post.subscribe(subscriber.url)
        post.tell(3)
        await post.settled()
    assert await remembered() == 3
    async with run_in_background(
        Forgetter(post.register.deliveries, timedelta(days=7), now=post.clock, look_every_s=0.01).run()
    ):
        post.clock.at += timedelta(days=7, seconds=1)
        await until(forgotten, "old deliveries to be forgotten")


async def test_an_event_is_signed_as_standard_webhooks_has_it_with_the_secret_of_its_subscription(post: Post) -> None:
    async with subscribed() as subscriber, post.delivering():
        post.subscribe(subscriber.url)
        [event_id] = post.tell()
        await post.settled()
    [received] = subscriber.received
    assert Webhook(SECRET).verify(received.body, received.headers) == received.event
    assert received.headers["webhook-id"] == event_id
    assert received.headers["webhook-timestamp"] == str(int(post.clock.at.timestamp()))
    # As docs/events.md has it, without the library.
    signed = f"{event_id}.{received.headers['webhook-timestamp']}.".encode() + received.body
    digest = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert received.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    for forged in (received.body + b" ", b"{}"):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(forged, received.headers)


async def test_a_subscriber_that_is_down_for_ten_minutes_gets_every_event_of_that_time_in_bounded_memory(
    post: Post,
) -> None:
    watched = Watched(post.register.database)
    subscriber = Subscriber()
    port = free_port()
    post.subscribe(f"http://127.0.0.1:{port}")
    async with post.delivering(deliveries=watched):
        async with subscribed(port, subscriber):
            told = post.tell(2)
            await post.settled()
        while post.told < 302:
            told += post.tell(30)
            now = post.clock.at
            await post.until(lambda status, now=now: status.retry_at and status.retry_at > now, "a failed attempt")
            post.clock.at += timedelta(minutes=1)
        async with subscribed(port, subscriber):
            post.clock.at += LONGEST_PAUSE
            await post.settled()
    assert subscriber.ids == told
    assert len(told) == 302
    assert watched.most == BATCH


@pytest.mark.parametrize("status", [503, 404, 401, 429, 307])
async def test_an_event_that_is_not_taken_now_is_sent_again(post: Post, status: int) -> None:
    async with subscribed() as subscriber, post.delivering():
        subscriber.answer = lambda received: status if len(subscriber.received) < 3 else 204
        post.subscribe(subscriber.url)
        [told] = post.tell()
        for _ in range(2):
            await post.until(lambda status: status.retry_at and status.retry_at > post.clock.at, "a pause")
            post.clock.at += timedelta(seconds=3)
        await post.settled()
    assert [received.event_id for received in subscriber.received] == [told] * 3
    assert len({received.body for received in subscriber.received}) == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_an_event_that_is_refused_is_parked_and_the_next_ones_arrive(post: Post, status: int) -> None:
    async with subscribed() as subscriber, post.delivering():
        subscriber.answer = lambda received: status if received.event_id == "O1-2" else 204
        post.subscribe(subscriber.url)
        post.tell(3)
        await post.settled()
    assert subscriber.ids == ["O1-1", "O1-3"]
    [parked] = post.register.subscriptions.parked("S1", 0, 10)
    assert (parked.event, parked.attempts) == ("O1-2", 1)
    assert parked.error.startswith(f"answered {status}")


async def test_a_subscriber_that_is_gone_is_not_sent_anything_again(post: Post) -> None:
    async with subscribed() as subscriber, post.delivering():
        subscriber.answer = lambda received: 410
        post.subscribe(subscriber.url)
        post.tell(3)
        await post.settled()
    assert len(subscriber.received) == 1
    assert (post.status().note, post.status().parked) == ("The subscriber answered 410 Gone", 3)


async def test_what_was_parked_after_a_day_arrives_once_somebody_asks_for_it(post: Post) -> None:
    async with subscribed() as subscriber, post.delivering():
        subscriber.answer = lambda received: 503
        post.subscribe(subscriber.url)
        told = post.tell(3)
        await post.until(lambda status: status.failing_since, "a failed attempt")
        post.clock.at += PATIENCE + timedelta(minutes=1)
        await post.until(lambda status: status.parked == 3, "everything to be parked")
        subscriber.answer = lambda received: 204
        post.register.subscriptions.retry("S1", post.clock.at)
        await post.settled()
    assert subscriber.ids == told


async def test_dead_subscribers_slow_nobody(post: Post) -> None:
    async with subscribed() as dead, subscribed() as live, post.delivering():
        dead.answer = lambda received: None
        for n in range(40):
            post.subscribe(f"{dead.url}/{n}", f"dead-{n}")
        post.subscribe(live.url)
        told = post.tell(BATCH + 10)
        await post.settled()
        assert live.ids == told
        # They are still being waited for, and none got a second event before it took the first.
        assert {received.event_id for received in dead.received} <= {"O1-1"}


async def test_two_that_deliver_do_not_send_an_event_twice(post: Post) -> None:
    async with AsyncExitStack() as stack:
        subscribers = [await stack.enter_async_context(subscribed()) for _ in range(4)]
        for n, subscriber in enumerate(subscribers):
            post.subscribe(subscriber.url, f"S{n + 1}")
        await stack.enter_async_context(post.delivering())
        await stack.enter_async_context(post.delivering(deliveries=Deliveries(post.register.database)))
        told = [event for _ in range(10) for event in post.tell(6)]

        async def arrived() -> bool:
            return all(len(subscriber.received) >= len(told) for subscriber in subscribers)

        await until(arrived, "every event to arrive everywhere")
    assert [subscriber.ids for subscriber in subscribers] == [told] * 4


async def test_who_is_stopped_in_the_middle_leaves_the_rest_to_another_at_once(post: Post) -> None:
    async with subscribed() as subscriber:
        subscriber.answer = lambda received: None if received.event_id == "O1-3" else 204
        post.subscribe(subscriber.url)
        told = post.tell(4)
        async with post.delivering():

            async def in_the_middle() -> bool:
                return len(subscriber.received) == 3

            await until(in_the_middle, "the third event to be sent")
        subscriber.answer = lambda received: 204
        async with post.delivering():
            await post.settled()
    assert [received.event_id for received in subscriber.received] == [told[0], told[1], told[2], told[2], told[3]]


async def test_what_a_killed_process_had_under_way_is_delivered_again(post: Post) -> None:
    post.subscribe("http://127.0.0.1:9")
    told = post.tell(2)
    # A process that is killed leaves its lease behind, and no word of what it had sent.
    [lease] = post.register.deliveries.lease(post.clock.at, post.clock.at + timedelta(seconds=30), 1)
    async with subscribed() as subscriber, post.delivering():
        with post.register.database.writing() as connection:
            connection.exec_driver_sql(f"UPDATE subscriptions SET callback = '{subscriber.url}'")
        post.clock.at += timedelta(seconds=31)
        await post.settled()
    assert subscriber.ids == told
    assert not post.register.deliveries.delivered(
        lease, Delivery(1, None, None), post.clock.at, post.clock.at + timedelta(seconds=30)
    )


async def test_an_event_that_can_not_be_told_is_parked_and_the_next_ones_arrive(post: Post) -> None:
    async with subscribed() as subscriber, post.delivering():
        post.subscribe(subscriber.url)
        broken = OrderEvent(number=1, at=NOON, kind=EventKind.STATE_CHANGED, data={"state": {"a": 1}})
        post.register.records.record(OrderRecord(version=1, view=a_view(), events=(broken,)))
        post.told = 1
        post.tell()
        await post.settled()
    assert subscriber.ids == ["O1-2"]
    assert post.status().parked == 1


@pytest.mark.parametrize("table", ["orders", "events"])
async def test_what_can_not_be_read_is_parked_and_the_next_ones_arrive(post: Post, table: str) -> None:
    post.subscribe("http://127.0.0.1:9")
    post.tell(order_id="O0")
    with post.register.database.writing() as connection:
        broken = {"orders": "view = '{}'", "events": "kind = 'unknown'"}[table]
        connection.exec_driver_sql(f"UPDATE {table} SET {broken}")
    async with subscribed() as subscriber:
        with post.register.database.writing() as connection:
            connection.exec_driver_sql(f"UPDATE subscriptions SET callback = '{subscriber.url}'")
        told = post.tell()
        async with post.delivering():
            await post.settled()
    assert (subscriber.ids, post.status().parked) == (told, 1)


@pytest.mark.parametrize("callback", ["http://127.0.0.1:99999", f"http://{'x' * 64}.invalid", "no url at all"])
async def test_whatever_can_not_be_sent_to_counts_as_failing_and_is_parked_in_the_end(
    post: Post, callback: str
) -> None:
    post.subscribe(callback)
    post.tell()
    async with post.delivering(allow_internal="127.0.0.1" in callback):
        await post.until(lambda status: status.last_error and status.retry_at, "a failed attempt")
        post.clock.at += PATIENCE + timedelta(minutes=1)
        await post.settled()
    assert post.status().parked == 1


async def test_an_internal_address_is_not_called_unless_that_is_allowed(post: Post) -> None:
    async with subscribed() as subscriber, post.delivering(allow_internal=False):
        post.subscribe(subscriber.url)
        post.tell()
        await post.until(lambda status: status.last_error, "an attempt")
        assert str(post.status().last_error) == "InternalAddress: 127.0.0.1 leads to an internal address"
    assert subscriber.received == []


async def send(url: str, **options: Any) -> Reception:
    async with event_sender(**{"allow_internal": True, "connections": 2, **options}) as sender:
        return await sender.send(url, SecretStr(SECRET), "O1-1", b"{}")


async def test_no_redirect_is_followed() -> None:
    async with subscribed() as elsewhere, subscribed() as subscriber:
        subscriber.answer = lambda received: 307
        subscriber.headers = f"location: {elsewhere.url}/\r\n"
        assert await send(subscriber.url) == Reception(Taken.NOT_NOW, "answered 307 Temporary Redirect")
    assert elsewhere.received == []


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with subscribed() as proxy, subscribed() as subscriber:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert (await send(subscriber.url)).taken is Taken.YES
    assert (len(proxy.received), len(subscriber.received)) == (0, 1)


async def test_a_long_answer_is_not_read_to_its_end() -> None:
    async with subscribed() as subscriber:
        subscriber.answer = lambda received: 200
        subscriber.body, subscriber.withheld = b"x" * 1_000_000, 1
        assert (await send(subscriber.url)).taken is Taken.YES


async def test_a_name_that_leads_elsewhere_by_the_time_of_delivery_is_not_followed_there() -> None:
    async def rebound(host: str, port: int) -> Sequence[IpAddress]:
        return [ip_address("169.254.169.254")]

    reception = await send("http://shop.example/", allow_internal=False, resolve=rebound)
    assert reception == Reception(Taken.NOT_NOW, "InternalAddress: shop.example leads to an internal address")


async def test_an_answer_that_is_none_is_not_taken() -> None:
    async def rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(rubbish, "127.0.0.1", 0) as server:
        reception = await send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert reception.taken is Taken.NOT_NOW


async def test_a_subscriber_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.events.event_sender.ANSWER_WITHIN", timedelta(seconds=0.05))
    async with subscribed() as subscriber:
        subscriber.answer = lambda received: None
        assert (await send(subscriber.url)).note.startswith("no answer within")
