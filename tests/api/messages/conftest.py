"""One register for all tests of messages of a module, emptied between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest

from catalog_loader.catalog_files import read_catalog
from catalog_loader.messages.book import MessageBook, read_messages
from register import Register
from settings import ROOT
from tests.api.messages.offices import Office
from tests.given.registers import emptied
from tests.running.mailboxes import mailbox


@pytest.fixture(scope="module")
def book() -> MessageBook:
    book = read_messages(ROOT / "catalog", read_catalog(ROOT / "catalog"))
    assert book is not None
    return book


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    with closing(Register(f"sqlite:///{tmp_path_factory.mktemp('told') / 'register.db'}")) as register:
        register.prepare()
        yield register


@pytest.fixture
async def office(shared: Register, book: MessageBook) -> AsyncIterator[Office]:
    async with mailbox() as box:
        yield Office(emptied(shared), book, box)
