"""Customers are told by the operator's own system, and by texts: a real register, and a real server on loopback."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from api.background import run_in_background
from api.messages.ways import ways_of
from orders.model.messaging import Medium
from orders.news.message import MessageState
from orders.news.preferences import Preferences
from register.events.deliveries import LONGEST_PAUSE
from register.messages.sending import PATIENCE
from settings import Settings, SettingsError
from tests.api.messages.offices import ANNA, DAY, FOLD, Office, annas
from tests.api.tmf.tmf_specs import TMF681, spec_problems
from tests.orders.news.readers import at_home, late
from tests.running.pipe import until
from tests.running.subscribers import Received, Subscriber, subscribed

SECRET = "Bearer not-to-be-told"
BODY = {"to": "{to}", "parts": [{"text": "{text}"}], "reference": "{key}", "flash": False}


@dataclass
class Gateway(Subscriber):
    """Takes messages in, which are no events."""

    def took(self, received: Received) -> None:
        self.ids.append(received.headers["idempotency-key"])


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    async with subscribed(subscriber=gateway):
        yield gateway


def configured(folder: Path, name: str, content: Any) -> Settings:
    """Settings with a file of that name, which holds that content."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content))
    return Settings(_env_file=None, data_dir=folder, **{name: file})  # type: ignore[call-arg]


@pytest.fixture
def by_text(office: Office, gateway: Gateway, tmp_path: Path) -> Office:
    """An office whose customer wants texts."""
    content = {"url": f"{gateway.url}/send", "headers": {"Authorization": SECRET}, "body": BODY}
    office.ways = dict(ways_of(configured(tmp_path, "sms_gateway", content), office.book.rules))
    wanted = Preferences(medium=Medium.SMS, phone="+49 170 / 555-0102")
    office.register.preferences.put("C1", wanted, "anna", office.at)
    return office


@pytest.fixture
def by_system(office: Office, gateway: Gateway, tmp_path: Path) -> Office:
    """An office of an operator with a system for messages, whose customer prefers that."""
    content = {"url": f"{gateway.url}/tmf/v4/", "headers": {"Authorization": SECRET}, "messageType": "Push"}
    office.ways = dict(ways_of(configured(tmp_path, "message_system", content), office.book.rules))
    office.register.preferences.put("C1", Preferences(medium=Medium.SYSTEM), "anna", office.at)
    return office


async def test_the_operators_own_system_gets_what_tmf681_says(by_system: Office, gateway: Gateway) -> None:
    assert await by_system.tells(annas(appointments=(at_home(2, 9),))) == []
    [received] = gateway.received
    assert (received.path, received.headers["authorization"]) == ("/tmf/v4/communicationMessage", SECRET)
    assert received.headers["idempotency-key"] == "O1-m1"
    message, kept = received.event, by_system.messages()[0]
    assert spec_problems(TMF681, "CommunicationMessage_Create", message) == []
    assert (message["receiver"], message["messageType"]) == ([{"id": "C1"}], "Push")
    assert (message["subject"], message["content"]) == (kept.title, kept.text)
    assert message["sender"]["email"] == "orders@telecom.example"
    characteristics = {each["name"]: each["value"] for each in message["characteristic"]}
    assert characteristics == {"messageKey": "O1-m1", "topic": "received", "language": "en", "productOrder": "O1"}
    assert (kept.state, kept.medium, kept.fate) == (MessageState.SENT, Medium.SYSTEM, "answered 204 No Content")
    [calendar] = message["attachment"]
    assert b64decode(calendar["content"]).startswith(b"BEGIN:VCALENDAR")


async def test_a_text_is_what_the_gateways_template_says(by_text: Office, gateway: Gateway) -> None:
    assert await by_text.tells(annas()) == []
    [received], [kept] = gateway.received, by_text.messages()
    assert received.headers["authorization"] == SECRET
    assert received.event == {
        "to": "+491705550102",
        "parts": [{"text": kept.text}],
        "reference": "O1-m1",
        "flash": False,
    }
    assert (kept.state, kept.medium, kept.title) == (MessageState.SENT, Medium.SMS, "")


async def test_a_gateway_can_want_a_form(office: Office, gateway: Gateway, tmp_path: Path) -> None:
    body = {"to": "{to}", "text": "{text} ({key})"}
    content = {"url": f"{gateway.url}/send?account=7", "form": True, "body": body}
    office.ways = dict(ways_of(configured(tmp_path, "sms_gateway", content), office.book.rules))
    await office.tells(annas(body={**ANNA, "notificationContact": "tel:0170 555"}))
    [received], [kept] = gateway.received, office.messages()
    assert received.path == "/send?account=7"
    assert parse_qs(received.body.decode()) == {"to": ["0170555"], "text": [f"{kept.text} (O1-m1)"]}


async def test_what_customers_write_is_never_taken_for_a_placeholder(by_text: Office, gateway: Gateway) -> None:
    await by_text.tells(annas(external_id="{to} {nothing}"))
    [received], [kept] = gateway.received, by_text.messages()
    assert "{to} {nothing}" in str(kept.text)
    assert received.event["parts"] == [{"text": kept.text}]


async def test_where_there_is_no_way_as_preferred_it_goes_by_mail(office: Office) -> None:
    office.register.preferences.put("C1", Preferences(medium=Medium.SYSTEM), "anna", office.at)
    [mail] = await office.tells(annas())
    assert mail["To"] == "anna@example.org"


@pytest.mark.parametrize("status", [400, 409, 422])
async def test_what_is_refused_for_good_is_a_failed_message(by_text: Office, gateway: Gateway, status: int) -> None:
    gateway.answer = lambda received: status
    await by_text.tells(annas())
    [failed] = by_text.register.told.failed(None, 0, 10)
    assert failed.fate.startswith(f"answered {status}")
    assert len(gateway.received) == 1
    gateway.answer = lambda received: 202
    assert by_text.register.told.again(failed.id, by_text.at) is not None
    await by_text.tells()
    assert gateway.ids == ["O1-m1"]


async def settles(office: Office, state: MessageState) -> None:
    async def there() -> bool:
        return office.messages()[0].state is state

    async with run_in_background(office.courier().run()):
        await until(there, f"the message to be {state}", 30)


@pytest.mark.parametrize("status", [302, 401, 429, 503])
async def test_what_is_not_taken_now_is_tried_again_and_newer_news_may_replace_it(
    by_text: Office, gateway: Gateway, status: int
) -> None:
    gateway.headers = f"location: {gateway.url}/elsewhere\r\n"
    gateway.answer = lambda received: status
    await by_text.tells(annas())
    [waiting] = by_text.messages()
    assert (waiting.state, waiting.text) == (MessageState.WAITING, None)
    gateway.answer = lambda received: 200
    by_text.at += LONGEST_PAUSE
    await settles(by_text, MessageState.SENT)
    assert [each.path for each in gateway.received] == ["/send", "/send"]


async def unanswered(office: Office, gateway: Gateway, answer: Callable[[Received], int | None]) -> None:
    """Have the gateway take a message without saying so, and be asked again."""
    gateway.answer = answer
    office.record(annas())

    async def tried() -> bool:
        return bool(office.messages() and office.messages()[0].fate)

    async with run_in_background(office.courier().run()):
        await until(tried, "the gateway to be tried", 30)
    assert office.messages()[0].state is MessageState.SENDING


async def test_what_may_have_gone_out_comes_again_in_the_same_words_under_the_same_key(
    by_text: Office, gateway: Gateway
) -> None:
    await unanswered(by_text, gateway, lambda received: 500)
    by_text.record(annas(**late(DAY)))
    gateway.answer = lambda received: 200
    by_text.at += LONGEST_PAUSE
    await settles(by_text, MessageState.SENT)
    first, second = gateway.received[:2]
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "O1-m1"


async def test_a_conflict_tells_that_what_came_again_was_there_already(by_text: Office, gateway: Gateway) -> None:
    await unanswered(by_text, gateway, lambda received: 502)
    gateway.answer = lambda received: 409
    by_text.at += LONGEST_PAUSE
    await settles(by_text, MessageState.SENT)
    assert by_text.messages()[0].fate == "answered 409 Conflict: it was there already"


async def test_a_gateway_that_is_not_there_for_a_day_fails_the_message(
    office: Office, gateway: Gateway, tmp_path: Path
) -> None:
    content = {"url": "http://127.0.0.1:1/send", "body": BODY}
    office.ways = dict(ways_of(configured(tmp_path, "sms_gateway", content), office.book.rules))
    await office.tells(annas(body={**ANNA, "notificationContact": "0170 555"}))
    assert office.messages()[0].state is MessageState.WAITING
    office.at += PATIENCE + FOLD
    await settles(office, MessageState.FAILED)
    assert "ConnectError" in office.messages()[0].fate


async def test_a_message_written_for_a_way_that_is_no_more_has_failed(by_text: Office, gateway: Gateway) -> None:
    await unanswered(by_text, gateway, lambda received: 500)
    del by_text.ways[Medium.SMS]
    by_text.at += timedelta(hours=1)
    await settles(by_text, MessageState.FAILED)
    assert by_text.messages()[0].fate == "There is no way by sms any more"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://sms.example/send"}, "url: Value error, must begin with https://"),
        ({"url": "https://me:secret-word@sms.example/"}, "url: Value error, may hold no user and password"),
        ({"url": "file:///etc/passwd"}, "url: Value error, must begin with https:// or http://"),
        ({"body": {"to": "{to}"}}, "body has no {text}"),
        ({"body": {**BODY, "more": "{secret}"}}, "body has {secret}, which stands for nothing"),
        ({"form": True}, "body must have texts only"),
        ({"headers": {"A: b\r\nC": "secret-word"}}, "headers"),
    ],
)
def test_a_file_of_settings_that_cannot_be_meant_is_told_without_what_is_secret(
    office: Office, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    content = {"url": "https://sms.example/send", "headers": {"Authorization": SECRET}, "body": BODY, **change}
    with pytest.raises(SettingsError) as error:
        ways_of(configured(tmp_path, "sms_gateway", content), office.book.rules)
    assert str(error.value).startswith("ORDERPIPE_SMS_GATEWAY: ") and said in str(error.value)
    assert "secret-word" not in str(error.value) and SECRET not in str(error.value)


def test_a_file_of_settings_that_is_not_there_is_told(office: Office, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, message_system=tmp_path / "none.json")  # type: ignore[call-arg]
    with pytest.raises(SettingsError, match="ORDERPIPE_MESSAGE_SYSTEM: cannot be read"):
        ways_of(settings, office.book.rules)
