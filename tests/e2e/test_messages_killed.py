"""The processes that tell customers die by SIGKILL while messages are due: none is lost, and none is told twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from random import Random

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from orders.model.messaging import Topic
from orders.news.message import MessageState
from register import Register
from register.messages.reading import StoredMessage
from register.tables.messages import MESSAGES
from register.tables.orders import ORDERS
from tests.e2e.running import PATIENCE_S, StackPipe, quick_folder, running_stack
from tests.given.households import item, order
from tests.running.mailboxes import Mailbox, mailbox
from tests.running.pipe import body_of, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SEED = 13
MOMENTS = 3


@pytest_asyncio.fixture(loop_scope="session")
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as box:
        yield box


@pytest_asyncio.fixture(name="pipe", loop_scope="session")
async def a_stack_that_sends_mails(box: Mailbox) -> AsyncIterator[StackPipe]:
    with quick_folder("orderpipe-told-") as folder:
        async with running_stack(folder, mail_server=box.address) as pipe:
            yield pipe


@contextmanager
def opened(pipe: StackPipe) -> Iterator[Register]:
    with closing(Register(pipe.settings.register_address)) as register:
        yield register


def bodies(moment: int) -> list[dict[str, object]]:
    """Two orders that are done soon, and one that has more to tell."""
    orders = [body_of("triple-play"), *(order(item("1", "mobile-s", sim_type="esim")) for _ in range(2))]
    return [{**body, "notificationContact": f"anna-{moment}-{place}@example.org"} for place, body in enumerate(orders)]


def message_of(mail_id: str) -> str:
    """The key of the message that a Message-ID is made of."""
    return mail_id.strip("<>").partition("@")[0]


def cut_short(register: Register) -> set[str]:
    """Messages that were written and not settled when their sender died; the time that it had for them is over now."""
    with register.database.writing() as connection:
        sending = MESSAGES.c.state == MessageState.SENDING
        written = set(connection.scalars(select(MESSAGES.c.id).where(sending, MESSAGES.c.text.is_not(None))))
        connection.execute(update(MESSAGES).where(sending).values(next_at=datetime.now(UTC)))
    return written


async def killed(pipe: StackPipe, box: Mailbox, register: Register, mails: int, *, at_once: bool) -> set[str]:
    """Kill API and worker when so many mails have come: right within the last, before its sender is told, or after it.

    Starts them again. Gives the messages of which nobody knew then whether they had gone out.
    """
    here = asyncio.Event()

    def taken() -> None:
        if len(box.mails) >= mails:
            if at_once:
                pipe.stack.processes["api"].kill()
            here.set()

    box.taken = taken
    async with asyncio.timeout(PATIENCE_S):
        await here.wait()
    await asyncio.gather(pipe.kill("api"), pipe.kill("worker"))
    box.taken = lambda: None
    unknown = cut_short(register)
    await asyncio.gather(pipe.start("api"), pipe.start("worker"))
    return unknown


async def until_told(register: Register, orders: list[str]) -> dict[str, list[StoredMessage]]:
    """All messages by order, when nothing is left to be worked out or sent."""

    async def there() -> bool:
        with register.database.reading() as connection:
            unheard = connection.scalar(select(ORDERS.c.id).where(ORDERS.c.heard < ORDERS.c.version).limit(1))
        under_way = (MessageState.WAITING, MessageState.SENDING)
        messages = [message for order_id in orders for message in register.told.of_order(order_id)]
        return unheard is None and not any(message.state in under_way for message in messages)

    await until(there, "everything to be told", PATIENCE_S)
    return {order_id: register.told.of_order(order_id) for order_id in orders}


async def test_no_message_is_lost_or_doubled_though_api_and_worker_are_killed_while_messages_are_due(
    pipe: StackPipe, box: Mailbox
) -> None:
    random, unknown, orders = Random(SEED), set[str](), list[str]()
    with opened(pipe) as register:
        for moment in range(MOMENTS):
            orders += await pipe.submit_all(bodies(moment))
            mails = len(box.mails) + random.randint(1, 2)
            unknown |= await killed(pipe, box, register, mails, at_once=moment % 2 == 0)
        assert await pipe.states(orders) == {"completed"}
        told = await until_told(register, orders)

    sent = {message.id for of_one in told.values() for message in of_one if message.state is MessageState.SENT}
    come = {message_of(mail_id): times for mail_id, times in box.by_id().items()}
    assert set(come) == sent
    twice = {message for message, times in come.items() if times > 1}
    assert twice <= unknown
    assert twice, "one died between the server's taking a mail and its being told so"
    said = {(message_of(str(mail["Message-ID"])), mail.as_bytes()) for mail in box.mails}
    assert len(said) == len(come)
    for of_one in told.values():
        topics = [message.topic for message in of_one if message.state is MessageState.SENT]
        # An order that was done before anything of it could be told has no more to say than that.
        assert topics[0] is Topic.RECEIVED or topics == [Topic.DONE]
        assert topics[-1] is Topic.DONE
        assert (topics.count(Topic.RECEIVED), topics.count(Topic.DONE)) in ((1, 1), (0, 1))
        assert {message.state for message in of_one} <= {MessageState.SENT, MessageState.WITHDRAWN}
