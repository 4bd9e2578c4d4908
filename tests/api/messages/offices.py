"""What tests of messages have: a register with orders, and couriers that tell of them by real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from api.background import run_in_background
from api.messages.courier import Courier
from api.messages.handing_over import Way
from api.messages.mail import MailSender, MailServer
from catalog_loader.messages.book import MessageBook
from orders.model.messaging import Medium
from orders.news.message import MessageState
from orders.read_model.records import OrderRecord
from orders.read_model.views import OrderView
from register import Register
from register.messages.reading import StoredMessage
from tests.orders.news.readers import an_order
from tests.running.mailboxes import Mailbox
from tests.running.pipe import until

ANNA = {"relatedParty": [{"id": "C1", "name": "Anna Muster"}], "notificationContact": "anna@example.org"}
FOLD = timedelta(minutes=3)
DAY = timedelta(days=1)


class Office:
    """A register with orders, and couriers that tell of them by a mail server."""

    def __init__(self, register: Register, book: MessageBook, box: Mailbox) -> None:
        self.register = register
        self.book = book
        self.box = box
        self.at = datetime(2031, 3, 3, 10, tzinfo=UTC)
        self.versions: dict[str, int] = {}
        server = MailServer("127.0.0.1", box.port, "none")
        self.ways: dict[Medium, Way] = {Medium.EMAIL: MailSender(server, book.rules.sender)}

    def courier(self) -> Courier:
        return Courier(
            self.register,
            self.book,
            self.ways,
            lambda _: {"mobile-s": "Mobile S"},
            now=lambda: self.at,
            poll_every_s=0.01,
        )

    def record(self, order: OrderView) -> None:
        """An order writes down how it stands."""
        version = self.versions[order.id] = self.versions.get(order.id, 0) + 1
        self.register.records.record(OrderRecord(version=version, view=order))

    def messages(self, order_id: str = "O1") -> list[StoredMessage]:
        return self.register.told.of_order(order_id)

    async def at_rest(self, order_ids: tuple[str, ...] = ("O1",)) -> None:
        """All news is worked out, and nothing that is due is left."""

        async def there() -> bool:
            due = [
                message
                for order_id in order_ids
                for message in self.messages(order_id)
                if message.state is MessageState.SENDING
                or (message.state is MessageState.WAITING and message.due_at <= self.at and not message.fate)
            ]
            return not self.unheard() and not due

        await until(there, "everything to be told", 30)

    def unheard(self) -> bool:
        with self.register.database.reading() as connection:
            return bool(connection.exec_driver_sql("SELECT 1 FROM orders WHERE heard < version").first())

    async def tells(self, order: OrderView | None = None, after: timedelta = timedelta()) -> list[EmailMessage]:
        """Record an order, wait for its news, let some time pass, and give the mails that have come."""
        before = len(self.box.mails)
        if order is not None:
            self.record(order)
        async with run_in_background(self.courier().run()):
            await self.at_rest()
            self.at += after
            await self.at_rest()
        return self.box.mails[before:]


def annas(**changes: Any) -> OrderView:
    return an_order(**{"body": ANNA, **changes})
