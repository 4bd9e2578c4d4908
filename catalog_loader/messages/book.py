"""The folder `messages` of a catalog: `messages.yaml` has the rules, `<language>/<topic>.txt` what is said.

Templates are Jinja2's, in its sandbox: operators write them. A mail's first line is its subject; `<topic>.sms.txt` is
what is sent to telephones. All of them are tried when they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import Locale, UnknownLocaleError
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import SandboxedEnvironment
from pydantic import ValidationError

from catalog_loader.catalog_files import MESSAGES, CatalogError
from catalog_loader.catalog_yaml import FileProblem, YamlFile
from catalog_loader.messages.samples import samples
from catalog_loader.messages.words import Words, words_of
from orders.model.catalog import Catalog
from orders.model.messaging import Language, Medium, Messaging, Topic
from orders.news.message import Message
from orders.read_model.views import OrderView

RULES: Final = "messages.yaml"
LONGEST_SUBJECT: Final = 200
LONGEST_SMS: Final = 1000
_SUBJECT: Final = "Subject:"


class Unspeakable(Exception):
    """A message that its template cannot put into words: says why, for people."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message in words: the title of a mail, and its text."""

    title: str
    text: str


class MessageBook:
    """The rules and templates of one folder, which make sense."""

    def __init__(self, folder: Path, rules: Messaging) -> None:
        self.rules = rules
        self._folder = folder
        self.languages = frozenset(each.name for each in folder.iterdir() if each.is_dir())
        self._templates = SandboxedEnvironment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            auto_reload=False,
        )

    def language_for(self, wanted: Language | None, channel: str) -> Language:
        """The language wanted if there is one, or one without its country, else that of the channel."""
        for language in (wanted or "", (wanted or "").partition("_")[0]):
            if language in self.languages:
                return language
        return self.rules.of_channel(channel).language

    def say(
        self,
        message: Message,
        order: OrderView,
        titles: Mapping[str, str],
        name: str,
        language: Language,
        medium: Medium,
    ) -> Said:
        """A message in words.

        Raises:
            Unspeakable: if there is no template for it, or the template does not fit it.
        """
        words = words_of(message, order, titles, name, self.rules, language)
        return self._said(message.topic, language, medium, words)

    def _said(self, topic: Topic, language: Language, medium: Medium, words: Words) -> Said:
        template = file_of(topic, language, medium)
        try:
            text = self._templates.get_template(template).render(words).strip()
        except TemplateNotFound as error:
            raise Unspeakable(f"there is no {error.name}") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            line = getattr(error, "lineno", None)
            raise Unspeakable(f"{'' if line is None else f'line {line}: '}{error}") from error
        if medium is Medium.SMS:
            if not 0 < len(text) <= LONGEST_SMS:
                raise Unspeakable(f"comes to {len(text)} characters: a text has 1 to {LONGEST_SMS}")
            return Said("", text)
        first, _, rest = text.partition("\n")
        title = first.removeprefix(_SUBJECT).strip()
        if not first.startswith(_SUBJECT) or not 0 < len(title) <= LONGEST_SUBJECT:
            raise Unspeakable(f"its first line must be `{_SUBJECT} …`, of {LONGEST_SUBJECT} characters at most")
        if not rest.strip():
            raise Unspeakable("says nothing below its subject")
        return Said(title, rest.strip() + "\n")

    def problems(self, catalog: Catalog) -> Iterator[FileProblem]:
        """What is wrong with the rules and templates, tried with samples of every topic."""
        yield from self._wrong_rules(catalog)
        wanted = {self.rules.default.language, *(each.language for each in self.rules.channels.values())}
        for language in sorted(wanted - self.languages):
            yield FileProblem(f"{MESSAGES}/{RULES}", "", f"there is no folder for the language {language}")
        for language in sorted(self.languages):
            try:
                Locale.parse(language)
            except (UnknownLocaleError, ValueError):
                yield FileProblem(f"{MESSAGES}/{language}", "", "is no language, such as de or de_CH")
                continue
            yield from self._wrong_templates(language)

    def _wrong_rules(self, catalog: Catalog) -> Iterator[FileProblem]:
        tasks = [task for each in catalog.specifications.values() for task in each.tasks.values()]
        points = (task.point_of_no_return for task in tasks)
        reported = {task.milestone for task in tasks} | {point.milestone for point in points if point is not None}
        for field in ("milestones", "visit_over"):
            for name in getattr(self.rules, field):
                if name not in reported:
                    yield FileProblem(f"{MESSAGES}/{RULES}", f"{field}.{name}", "no task has such a milestone")
        try:
            ZoneInfo(self.rules.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            yield FileProblem(f"{MESSAGES}/{RULES}", "time_zone", f"there is no time zone {self.rules.time_zone}")

    def _wrong_templates(self, language: Language) -> Iterator[FileProblem]:
        for medium in (Medium.EMAIL, Medium.SMS):
            told: set[str] = set()
            for sample in samples():
                file = file_of(sample.message.topic, language, medium)
                if file in told:
                    continue
                try:
                    self.say(sample.message, sample.order, {}, sample.name, language, medium)
                except Unspeakable as error:
                    told.add(file)
                    yield FileProblem(f"{MESSAGES}/{file}", "", str(error))


def read_messages(folder: Path, catalog: Catalog) -> MessageBook | None:
    """The messages of a catalog's folder, or None where it has none: then customers are told nothing.

    Raises:
        CatalogError: with all that is wrong.
    """
    file = folder / MESSAGES / RULES
    if not file.exists():
        return None
    source = YamlFile(f"{MESSAGES}/{RULES}")
    try:
        content = source.load(file.read_text(encoding="utf-8"))
        if source.found:
            raise CatalogError(source.found)
        rules = Messaging.model_validate(content)
    except UnicodeDecodeError as error:
        raise CatalogError([FileProblem(source.file, "", f"is not UTF-8: {error}")]) from error
    except ValidationError as error:
        raise CatalogError(
            [
                source.problem(tuple(map(str, detail["loc"])), detail["msg"].removeprefix("Value error, "))
                for detail in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        ) from error
    book = MessageBook(folder / MESSAGES, rules)
    if found := list(book.problems(catalog)):
        raise CatalogError(found)
    return book


def file_of(topic: Topic, language: Language, medium: Medium) -> str:
    """The template of a topic."""
    return f"{language}/{topic}{'.sms' if medium is Medium.SMS else ''}.txt"
