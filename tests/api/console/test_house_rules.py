"""Rules of the console: nothing that a strict policy forbids, nothing of others that was altered, all words known."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import api
import orders
from api.console import named, queues
from api.console.words import LOCALE
from orders.model.writing.wording import PLACE, SENTENCES, has_words
from orders.tracking.what_if.ways import Way
from settings import ROOT

CONSOLE = ROOT / "api" / "console"
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))
NAMED: dict[str, object] = {**vars(named), **vars(queues)}
FORBIDDEN = {
    "evaluates": r"hx-on|\bjs:|javascript:|hx-vals='js|hx-trigger=\"[^\"]*\[",
    "inline handler": r"\son\w+=",
    "inline style": r"\sstyle=|<style",
    "inline script": r"<script(?![^>]*\ssrc=)",
    "from outside": r"(?:src|href)=\"(?:https?:)?//",
    "unescaped": r"\|\s*safe\b|autoescape",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_that_the_policy_forbids_or_that_evaluates(template: Path) -> None:
    text = template.read_text()
    assert {kind: found for kind, rule in FORBIDDEN.items() if (found := re.findall(rule, text))} == {}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_is_posted_shows_that_it_is_ours(template: Path) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', template.read_text(), re.DOTALL):
        assert "own()" in form or 'name="token"' in form, form[:120]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_page_is_fetched_but_once_for_each_change(template: Path) -> None:
    assert template.read_text().count('hx-get="{{ here }}"') <= 1


@pytest.mark.parametrize("folder", [CONSOLE / "vendor", Path(__file__).with_name("vendor")])
def test_what_is_of_others_is_as_they_have_published_it_with_its_licence(folder: Path) -> None:
    known: dict[str, str] = json.loads((folder / "checksums.json").read_text())
    there = {
        str(path.relative_to(folder)): hashlib.sha512(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "checksums.json"
    }
    assert there == known
    for package in (path for path in folder.iterdir() if path.is_dir()):
        assert (package / "LICENSE").is_file()


@pytest.mark.parametrize(
    "name", sorted(name for name, value in NAMED.items() if name.isupper() and isinstance(value, dict))
)
def test_whatever_the_core_may_say_has_a_name(name: str) -> None:
    words: object = NAMED[name]
    assert isinstance(words, dict)
    kinds = {type(key) for key in words}
    of_pages = {Way.CORRECTED, Way.ITEM_CANCELLED}  # Asked for as changes.
    for kind in kinds:
        if issubclass(kind, Enum):
            assert set(kind) - of_pages <= words.keys(), name


def said() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Everything that the console says, and where."""
    methods = [("templates/**.html", "jinja2.ext.babel_extract"), ("**.py", "python")]
    options = {"templates/**.html": {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}}
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
    for file, line, message, _, _ in extract_from_dir(str(CONSOLE), methods, options, keywords, ()):
        yield f"{file}:{line}", message
    for template in sentences():
        yield "a sentence", template


def sentences() -> list[str]:
    """Every sentence that the core or the API composes, but for those that are nothing but marks between places."""
    for package in (orders, api):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return [template for template in SENTENCES if has_words(template)]


def german() -> Catalog:
    with (LOCALE / "de.po").open("rb") as file:
        return read_po(file, locale="de")


def test_all_that_the_console_says_is_said_in_german_too_and_nothing_else() -> None:
    catalog = {message.id: message for message in german() if message.id}
    wanted = {message: where for where, message in said()}
    missing = {
        message: where
        for message, where in wanted.items()
        if message not in catalog or not all(_strings(catalog[message].string))
    }
    assert missing == {}
    assert set(catalog) - set(wanted) == set()


def test_what_is_put_into_words_has_the_same_places_in_german() -> None:
    for message in german():
        if not message.id:
            continue
        places = {name for text in _strings(message.id) for name in re.findall(r"%\((\w+)\)s", text)}
        for text in _strings(message.string):
            assert set(re.findall(r"%\((\w+)\)s", text)) <= places, message.id
        last = _strings(message.string)[-1]
        assert set(re.findall(r"%\((\w+)\)s", last)) == places, message.id


def test_every_sentence_of_the_core_has_all_that_stands_in_it_in_german_too_once_each() -> None:
    told = {str(message.id): str(message.string) for message in german() if message.id}
    assert len(sentences()) > 30
    for template in sentences():
        assert template in told, template
        assert sorted(PLACE.findall(told[template])) == sorted(PLACE.findall(template)), template


def _strings(message: object) -> tuple[str, ...]:
    """A message, or all its plural forms."""
    return tuple(map(str, message)) if isinstance(message, list | tuple) else (str(message or ""),)
