"""What agents see of messages to customers, and what they do about them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import uuid4

from sqlalchemy import update

from register import Register
from register.tables.messages import MESSAGES
from tests.running.pipe import Pipe, body_of, until


async def care(pipe: Pipe, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    response = await pipe.http.request(method, f"{pipe.settings.api_address}/care/v1{path}", json=body)
    assert response.status_code == status, response.text
    return response.json()


async def until_told(pipe: Pipe, order_id: str, fits: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = (await care(pipe, "GET", f"/orders/{order_id}/messages"))["messages"]
        return fits(found)

    await until(there, "the customer to be told")
    return found


def hurry(pipe: Pipe, order_id: str) -> None:
    """Have what waits go out now, whether it is day or night."""
    with closing(Register(pipe.settings.register_address)) as register, register.database.writing() as connection:
        now = MESSAGES.c.created_at
        connection.execute(update(MESSAGES).where(MESSAGES.c.order_id == order_id).values(due_at=now, next_at=now))


def sent(messages: list[dict[str, Any]], topic: str = "received") -> bool:
    return any((message["topic"], message["state"]) == (topic, "sent") for message in messages)


async def test_what_was_sent_is_seen_word_for_word_and_what_came_back_is_sent_again(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    customer = f"C-{uuid4().hex[:8]}"
    party = {"relatedParty": [{"id": customer, "role": "customer", "name": "Anna Muster"}]}
    order_id = await pipe.submit(body_of("triple-play", notificationContact="anna@example.org", **party))
    await until_told(pipe, order_id, bool)
    hurry(pipe, order_id)
    [first, *_] = await until_told(pipe, order_id, sent)
    assert (first["topic"], first["recipient"], first["attempts"]) == ("received", "anna@example.org", 1)
    assert "Dear Anna Muster" in first["text"] and "{" not in first["text"]
    mail = (pipe.settings.mails / f"{first['id']}.eml").read_bytes()
    assert b"To: anna@example.org" in mail

    bounced = await care(pipe, "POST", f"/messages/{first['id']}/bounce", {"reason": "mailbox full"})
    assert (bounced["state"], bounced["fate"]) == ("failed", "mailbox full")
    listed = (await care(pipe, "GET", "/messages/failed"))["messages"]
    assert first["id"] in {message["id"] for message in listed}
    wanted = {"language": "de", "medium": "email", "email": "anna@example.com", "notAbout": ["active"]}
    kept = await care(pipe, "PUT", f"/customers/{customer}/preferences", wanted)
    assert kept == {"customerId": customer, "phone": None, **wanted}
    assert await care(pipe, "GET", f"/customers/{customer}/preferences") == kept
    await care(pipe, "POST", f"/messages/{first['id']}/resend")
    [again, *_] = await until_told(pipe, order_id, sent)
    assert (again["id"], again["language"], again["attempts"]) == (first["id"], "de", 2)
    assert "Guten Tag Anna Muster" in again["text"]
    await care(pipe, "POST", f"/messages/{first['id']}/resend", status=409)

    view = await care(pipe, "GET", f"/customers/{customer}")
    assert again["id"] in {message["id"] for message in view["notifications"]}
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    await pipe.outcome(order_id)
    await until_told(pipe, order_id, lambda found: found[-1]["topic"] == "done")


async def test_of_what_there_is_not_nothing_is_told(pipe: Pipe) -> None:
    await care(pipe, "GET", "/orders/nothing/messages", status=404)
    await care(pipe, "POST", "/messages/nothing/resend", status=404)
    await care(pipe, "GET", "/customers/nobody/preferences", status=404)
    await care(pipe, "PUT", "/customers/nobody/preferences", {"email": "no address"}, status=400)
