"""The folder of messages: what is said in each language, and what is wrong with it, found when it is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalog_loader.catalog_files import CatalogError, read_catalog
from catalog_loader.messages.book import MessageBook, read_messages
from catalog_loader.messages.samples import samples
from orders.model.catalog import Catalog
from orders.model.messaging import Medium, Topic
from settings import ROOT


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(ROOT / "catalog")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped folder, to be spoilt."""
    shutil.copytree(ROOT / "catalog" / "messages", tmp_path / "messages")
    return tmp_path


def book_of(folder: Path, catalog: Catalog) -> MessageBook:
    book = read_messages(folder, catalog)
    assert book is not None
    return book


def spoil(folder: Path, file: str, before: str, after: str) -> None:
    path = folder / "messages" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def wrong(folder: Path, catalog: Catalog) -> list[str]:
    with pytest.raises(CatalogError) as error:
        read_messages(folder, catalog)
    return [str(problem) for problem in error.value.problems]


def test_a_catalog_without_the_folder_tells_nobody(catalog: Catalog, tmp_path: Path) -> None:
    assert read_messages(tmp_path, catalog) is None


def test_every_topic_is_said_in_english_and_german(catalog: Catalog) -> None:
    book = book_of(ROOT / "catalog", catalog)
    assert book.languages == {"en", "de"}
    said = {
        (sample.message.topic, language): book.say(
            sample.message, sample.order, {}, sample.name, language, Medium.EMAIL
        )
        for sample in samples()
        for language in book.languages
    }
    assert {topic for topic, _ in said} == set(Topic)
    assert said[Topic.CANCELLED, "de"].title == "Ihr Auftrag web-1 ist geändert"
    assert all("web-1" in each.text and "{" not in each.text for each in said.values())


def test_dates_and_money_are_written_as_the_language_has_them(catalog: Catalog) -> None:
    book = book_of(ROOT / "catalog", catalog)
    first = next(sample for sample in samples() if sample.message.topic is Topic.NEEDS_YOU)
    received = next(sample for sample in samples() if sample.message.topic is Topic.RECEIVED)
    assert "9,90\N{NO-BREAK SPACE}€" in book.say(first.message, first.order, {}, "", "de", Medium.EMAIL).text
    told = book.say(received.message, received.order, {"Fibre 1000": "Glasfaser"}, "Anna", "de", Medium.EMAIL).text
    assert "Guten Tag Anna," in told and "Montag, 3. März 2031" in told and "- Glasfaser\n" in told


@pytest.mark.parametrize(
    ("file", "before", "after", "reason"),
    [
        ("en/date.txt", "{{ date }}", "{{ dat }}", "en/date.txt: 'dat' is undefined"),
        ("de/done.txt", "Subject:", "Betreff:", "its first line must be `Subject: …`"),
        ("en/visit.sms.txt", "{% endfor %}", "", "en/visit.sms.txt: line"),
        (
            "en/shipped.txt",
            "{{ thing.numbers",
            "{{ thing.numbers.__class__.__mro__",
            "shipped.txt: access to attribute",
        ),
        ("messages.yaml", "handed-over", "handed-out", "milestones.handed-out: no task has such a milestone"),
        ("messages.yaml", "internet-active: active", "internet-active: done", "milestones are told under shipped or"),
        ("messages.yaml", "language: en", "language: fr", "there is no folder for the language fr"),
        ("messages.yaml", "Europe/Berlin", "Europe/Bern", "there is no time zone Europe/Bern"),
        ("messages.yaml", "fold: PT3M", "fold: soon", "messages.yaml:9: fold"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(
    folder: Path, catalog: Catalog, file: str, before: str, after: str, reason: str
) -> None:
    spoil(folder, file, before, after)
    found = wrong(folder, catalog)
    assert any(reason in each for each in found), found


def test_a_language_needs_every_topic(folder: Path, catalog: Catalog) -> None:
    (folder / "messages" / "de" / "active.txt").unlink()
    assert wrong(folder, catalog) == ["messages/de/active.txt: there is no de/active.txt"]
