"""Messages as mails: into a folder, or to a server by SMTP."""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Final, Literal

import aiosmtplib
from pydantic import SecretStr

from api.messages.calendars import method_of
from api.messages.handing_over import LONGEST_NOTE, Handed, Taken, note_of
from register.messages.sending import Outgoing, Written

WITHIN_S: Final = 20.0
"""What a server is given for each answer."""

_FOR_GOOD: Final = 500
"""Answers of a server from here on are meant for good."""


def mail_of(outgoing: Outgoing, written: Written, sender: str) -> EmailMessage:
    """A message as a mail. The same message is the same mail, by its Message-ID, however often it is made."""
    mail = EmailMessage(policy=SMTP_POLICY)
    name, address = parseaddr(sender)
    mail["From"] = Address(display_name=name, addr_spec=address)
    mail["To"] = Address(addr_spec=written.recipient)
    mail["Subject"] = written.title
    mail["Date"] = format_datetime(outgoing.message.due)
    mail["Message-ID"] = message_id(outgoing.id, sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(written.text)
    for calendar in written.calendars:
        method = method_of(calendar)
        mail.add_attachment(calendar, subtype="calendar", filename="visit.ics", params={"method": method})
    mail["Content-Language"] = written.language.replace("_", "-")
    return mail


def message_id(key: str, sender: str) -> str:
    """The Message-ID of the message of a key: whoever stores it twice can tell."""
    return f"<{key}@{parseaddr(sender)[1].rpartition('@')[2]}>"


class MailFolder:
    """Puts mails into a folder, as files that any mail program opens: where there is no server yet."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    @asynccontextmanager
    async def handing_over(self, outgoing: Outgoing, written: Written) -> AsyncIterator[Handed]:
        """Write a mail, once: its file is named after its key."""
        mail = mail_of(outgoing, written, self._sender)
        file = self._folder / f"{outgoing.id}.eml"
        try:
            await asyncio.to_thread(_write_once, file, mail.as_bytes())
        except OSError as error:
            yield Handed(Taken.NOT_NOW, note_of(error))
        else:
            yield Handed(Taken.YES, f"Written to {file.name}")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed over, and how. `tls` is from the start, or begun by STARTTLS."""

    host: str
    port: int
    tls: Literal["tls", "starttls", "none"]
    user: str | None = None
    password: SecretStr | None = None


class MailSender:
    """Hands mails to a server. Safe to use for several at once."""

    def __init__(self, server: MailServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._context = ssl.create_default_context() if server.tls != "none" else None

    @asynccontextmanager
    async def handing_over(self, outgoing: Outgoing, written: Written) -> AsyncIterator[Handed]:
        """Hand a mail over. The connection is left after what came of it was noted."""
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=self._context,
            username=server.user,
            password=server.password.get_secret_value() if server.password is not None else None,
            timeout=WITHIN_S,
        )
        try:
            yield await self._hand_over(client, outgoing, written)
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):
                if client.is_connected:
                    await client.quit()
            client.close()

    async def _hand_over(self, client: aiosmtplib.SMTP, outgoing: Outgoing, written: Written) -> Handed:
        try:
            await client.connect()
            await client.mail(parseaddr(self._sender)[1])
            await client.rcpt(written.recipient)
        except aiosmtplib.SMTPRecipientRefused as error:
            return Handed(_refusal(error.code), _answer(error))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # About us or the server rather than the customer: somebody mends that, and it goes on.
            return Handed(Taken.NOT_NOW, note_of(error))
        try:
            response = await client.data(mail_of(outgoing, written, self._sender).as_bytes())
        except aiosmtplib.SMTPResponseException as error:
            return Handed(_refusal(error.code), _answer(error))
        except (aiosmtplib.SMTPException, OSError) as error:
            return Handed(Taken.UNKNOWN, note_of(error))
        return Handed(Taken.YES, f"{response.code} {response.message}"[:LONGEST_NOTE])


def _refusal(code: int) -> Taken:
    return Taken.REFUSED if code >= _FOR_GOOD else Taken.NOT_NOW


def _answer(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {error.message}".replace("\n", " ")[:LONGEST_NOTE]


def _write_once(file: Path, content: bytes) -> None:
    """The whole file or nothing, also when the machine stops half way; what is there stays."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if file.exists():
        return
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
