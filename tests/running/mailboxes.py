"""A real mail server on loopback, that answers as it is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP

from tests.running.pipe import free_port


class Mailbox:
    """What mails have come in. `refuses` and `puts_off` are addresses; `taken` is called once a mail is there."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses: set[str] = set()
        self.puts_off: set[str] = set()
        self.taken: Callable[[], None] = lambda: None
        self.port = free_port()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    def by_id(self) -> Counter[str]:
        """How often each mail has come."""
        return Counter(str(mail["Message-ID"]) for mail in self.mails)

    async def handle_RCPT(self, *arguments: Any) -> str:
        _, _, envelope, address, _ = arguments
        if address in self.refuses:
            return "550 no such mailbox"
        if address in self.puts_off:
            return "451 later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *arguments: Any) -> str:
        self.mails.append(cast("EmailMessage", message_from_bytes(arguments[2].content, policy=default)))
        self.taken()
        return "250 taken"


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server in this event loop."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop, hostname="mail.example"), "127.0.0.1", box.port)
    try:
        yield box
    finally:
        server.close()
