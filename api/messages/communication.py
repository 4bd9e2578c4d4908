"""Messages to the operator's own system for them (TMF681), which knows how its customers are reached."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parseaddr
from typing import Any

from pydantic import Field

from api.messages.handing_over import Handed
from api.messages.posting import Poster, Target
from orders.model.messaging import Messaging
from register.messages.sending import Outgoing, Written


class MessageSystem(Target):
    """The system: the base address of its API, `…/tmf-api/communicationManagement/v4`."""

    message_type: str = Field(default="Email", alias="messageType", min_length=1)
    """What every message is told to be: TMF681's `messageType`."""


class SystemWay:
    """Posts messages to the operator's own system."""

    def __init__(self, system: MessageSystem, rules: Messaging) -> None:
        self._url = f"{system.url.rstrip('/')}/communicationMessage"
        self._type = system.message_type
        self._rules = rules
        self._poster = Poster(system)

    @asynccontextmanager
    async def handing_over(self, outgoing: Outgoing, written: Written) -> AsyncIterator[Handed]:
        """Post a `CommunicationMessage`: the same one under the same key, however often."""
        body = communication_message(outgoing, written, self._rules, self._type)
        yield await self._poster.post(self._url, outgoing.id, body, again=outgoing.written is not None)


def communication_message(outgoing: Outgoing, written: Written, rules: Messaging, message_type: str) -> dict[str, Any]:
    """TMF681's `CommunicationMessage_Create` of a message. Its receiver is the customer, by id."""
    characteristics = {
        "messageKey": outgoing.id,
        "topic": outgoing.message.topic.value,
        "language": written.language.replace("_", "-"),
        "productOrder": outgoing.order.id,
    }
    body: dict[str, Any] = {
        "messageType": message_type,
        "subject": written.title,
        "content": written.text,
        "sender": {"name": rules.provider, "email": parseaddr(rules.sender)[1]},
        "receiver": [{"id": written.recipient}],
        "characteristic": [{"name": name, "value": value} for name, value in characteristics.items()],
    }
    if written.calendars:
        body["attachment"] = [_attachment(calendar) for calendar in written.calendars]
    return body


def _attachment(calendar: str) -> dict[str, str]:
    content = b64encode(calendar.encode()).decode()
    return {"name": "visit.ics", "mimeType": "text/calendar", "content": content}
