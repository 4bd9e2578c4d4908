"""Customers are told: a register, a real mail server, couriers that are killed, and a clock that goes as told."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any

import pytest
from icalendar import Calendar

from api.background import run_in_background
from api.messages.courier import LEASE
from api.messages.mail import MailFolder, message_id
from orders.model.messaging import Medium, Topic
from orders.news.message import MessageState
from orders.news.preferences import Preferences
from orders.read_model.states import LifecycleState
from register.events.deliveries import LONGEST_PAUSE
from register.messages.sending import PATIENCE
from tests.api.messages.offices import ANNA, DAY, FOLD, Office, annas
from tests.given.registers import an_item
from tests.orders.news.readers import HOME, at_home, late
from tests.running.pipe import until


async def test_a_mail_says_word_for_word_what_the_register_keeps(office: Office) -> None:
    [mail] = await office.tells(annas(appointments=(at_home(2, 9),)))
    [kept] = [each for each in office.messages() if each.state is MessageState.SENT]
    assert (mail["To"], mail["Subject"]) == ("anna@example.org", "Your order shop-1 has been received")
    assert mail["Message-ID"] == message_id("O1-m1", office.book.rules.sender)
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content().replace("\r\n", "\n")
    assert text == kept.text
    assert "Dear Anna Muster" in text and "- Mobile S" in text and "Friday, March 7, 2031" in text
    assert (kept.recipient, kept.fate) == ("anna@example.org", "250 taken")


async def test_a_visit_that_moves_alters_its_entry_in_the_calendar(office: Office) -> None:
    def entries(mail: EmailMessage) -> list[Any]:
        return [
            Calendar.from_ical(part.get_content()).walk("VEVENT")[0]
            for part in mail.iter_attachments()
            if part.get_content_type() == "text/calendar"
        ]

    mails = await office.tells(annas(appointments=(at_home(3, 9),)))
    mails += await office.tells(annas(appointments=(at_home(5, 9),)), after=FOLD)
    mails += await office.tells(annas(), after=FOLD)
    first, second, third = (entry for mail in mails for entry in entries(mail))
    assert len({str(each["uid"]) for each in (first, second, third)}) == 1
    assert [each["sequence"] for each in (first, second, third)] == [0, 1, 2]
    assert second["dtstart"].dt == at_home(5, 9).start
    assert third["status"] == "CANCELLED"


async def test_a_delay_that_shrinks_back_within_the_folding_time_tells_nobody(office: Office) -> None:
    await office.tells(annas())
    await office.tells(annas(**late(DAY)))
    assert await office.tells(annas(), after=FOLD) == []
    assert await office.tells(annas(**late(DAY)), after=FOLD) != []
    assert [each.state.value for each in office.messages()] == ["sent", "withdrawn", "sent"]


async def test_the_customer_is_told_in_the_language_and_at_the_address_that_they_prefer(office: Office) -> None:
    wanted = Preferences(language="de_CH", email="anna@example.com", not_about=(Topic.DATE,))
    office.register.preferences.put("C1", wanted, "anna", office.at)
    [mail] = await office.tells(annas(body={}))
    assert (mail["To"], mail["Content-Language"]) == ("anna@example.com", "de")
    assert str(mail["Subject"]).startswith("Ihr Auftrag")
    assert await office.tells(annas(body={}, **late(DAY)), after=FOLD) == []
    assert office.messages()[-1].state is MessageState.UNWANTED


async def test_of_whom_no_address_is_known_nobody_is_told(office: Office) -> None:
    assert await office.tells(annas(body={})) == []
    [message] = office.messages()
    assert (message.state, message.fate) == (
        MessageState.UNWANTED,
        "No address is known, or none that there is a way to",
    )


async def test_a_mailbox_that_is_not_there_fails_the_message_and_it_can_be_sent_again(office: Office) -> None:
    office.box.refuses.add("anna@example.org")
    assert await office.tells(annas()) == []
    [failed] = office.register.told.failed(None, 0, 10)
    assert (failed.id, failed.fate) == ("O1-m1", "550 no such mailbox")
    office.record(annas(body={**ANNA, "notificationContact": "new@example.org"}, document="d2"))
    assert office.register.told.again(failed.id, office.at) is not None
    [mail] = await office.tells()
    assert mail["To"] == "new@example.org"
    assert office.register.told.again(failed.id, office.at) is None


async def test_a_server_that_takes_nothing_now_is_tried_again(office: Office) -> None:
    office.box.puts_off.add("anna@example.org")
    assert await office.tells(annas()) == []
    [message] = office.messages()
    assert (message.state, message.fate) == (MessageState.WAITING, "451 later")
    office.box.puts_off.clear()
    office.at += LONGEST_PAUSE

    async def is_sent() -> bool:
        return office.messages()[0].state is MessageState.SENT

    async with run_in_background(office.courier().run()):
        await until(is_sent, "the message to be sent", 30)
    assert office.box.subjects() == ["Your order shop-1 has been received"]


async def test_a_message_that_is_not_taken_for_a_day_has_failed(office: Office) -> None:
    office.box.puts_off.add("anna@example.org")
    await office.tells(annas())
    office.at += PATIENCE + FOLD

    async def is_given_up() -> bool:
        return office.messages()[0].state is MessageState.FAILED

    async with run_in_background(office.courier().run()):
        await until(is_given_up, "the message to be given up", 30)
    assert office.box.mails == []


async def test_a_mail_in_the_folder_is_one_file_however_often_it_is_written(office: Office, tmp_path: Path) -> None:
    office.ways = {Medium.EMAIL: MailFolder(tmp_path / "mail", office.book.rules.sender)}
    await office.tells(annas())
    [file] = (tmp_path / "mail").iterdir()
    assert file.name == "O1-m1.eml" and b"Dear Anna Muster" in file.read_bytes()


async def test_two_couriers_tell_each_thing_once(office: Office) -> None:
    orders = tuple(f"O{number}" for number in range(8))

    async with AsyncExitStack() as stack:
        for order_id in orders:
            office.record(annas(id=order_id))
        for _ in range(2):
            await stack.enter_async_context(run_in_background(office.courier().run()))
        await office.at_rest(orders)
        assert len(office.box.by_id()) == len(orders) == len(office.box.mails)


class Killed(Exception):
    """What a test does to a courier in place of SIGKILL: nothing of what it holds comes to its end."""


@pytest.mark.parametrize("seed", range(4))
async def test_a_courier_that_is_killed_anywhere_neither_loses_a_message_nor_sends_another(
    office: Office, seed: int
) -> None:
    """Killed before, while and after a mail is handed over. Where it had gone out, the same comes again at most."""
    random = Random(seed)

    course = [annas(), annas(**late(DAY)), annas(**late(3 * DAY)), annas()]
    done = an_item("1", state=LifecycleState.COMPLETED, site=HOME)
    course.append(annas(state=LifecycleState.COMPLETED, items=(done,)))
    for order in course:
        office.record(order)
        for _ in range(random.randint(0, 3)):
            await killed_somewhere(office, random)
            office.at += LEASE + timedelta(seconds=1)
        await office.tells(after=FOLD)
    sent = [message for message in office.messages() if message.state is MessageState.SENT]
    assert all(message.state in (MessageState.SENT, MessageState.WITHDRAWN) for message in office.messages())
    assert {message_id(message.id, office.book.rules.sender) for message in sent} == set(office.box.by_id())
    assert (sent[0].topic, sent[-1].topic) == (Topic.RECEIVED, Topic.DONE)
    said = {str(mail["Message-ID"]): str(mail.get_body(("plain",))) for mail in office.box.mails}
    assert all(said[str(mail["Message-ID"])] == str(mail.get_body(("plain",))) for mail in office.box.mails)


async def killed_somewhere(office: Office, random: Random) -> None:
    """Run a courier whose use of the register, or of the mail server, is cut off for good at some point."""
    left = random.randint(0, 6)
    stopped = asyncio.Event()
    courier = office.courier()

    class Cut:
        """Stands before a part of the register: each use of it is counted, and the last is never made."""

        def __init__(self, part: Any) -> None:
            self._part = part

        def __getattr__(self, name: str) -> Any:
            def use(*arguments: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    loop.call_soon_threadsafe(stopped.set)
                    raise Killed
                return getattr(self._part, name)(*arguments, **named)

            return use

    class CutRegister:
        news = Cut(office.register.news)
        sending = Cut(office.register.sending)

    loop = asyncio.get_running_loop()
    courier._register = CutRegister()  # type: ignore[assignment]
    async with run_in_background(courier.run()):
        with_nothing_to_do = asyncio.create_task(office.at_rest())
        cut_off = asyncio.create_task(stopped.wait())
        await asyncio.wait([with_nothing_to_do, cut_off], return_when=asyncio.FIRST_COMPLETED)
        for task in (with_nothing_to_do, cut_off):
            task.cancel()
        await asyncio.gather(with_nothing_to_do, cut_off, return_exceptions=True)
