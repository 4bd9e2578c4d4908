"""Sentences as data: a template in English and what stands in it, so that they can be told in another language.

The English text is made of both, and is the same at every door.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from pydantic import AliasChoices, Field, model_validator

from orders.model.values import Frozen, Money

PLACE: Final = re.compile(r"\{(\w+)\}", re.ASCII)
"""Where something stands in a template. What stands there is never looked into for places of its own."""


class Wording(Frozen):
    """A sentence: its template, and by name what stands in its places. That may be a sentence itself."""

    template: str
    values: dict[str, str | Wording] = {}

    @model_validator(mode="before")
    @classmethod
    def _written_as_text(cls, value: object) -> object:
        """Orders of version 0.1 have sentences as text."""
        return {"template": "{text}", "values": {"text": value}} if isinstance(value, str) else value

    def __str__(self) -> str:
        """The sentence in English."""
        return PLACE.sub(lambda place: str(self.values[place[1]]), self.template)

    def replacing(self, part: Wording, other: Wording) -> Wording:
        """The same with another sentence in place of one that it is, or that stands in it."""
        if self == part:
            return other
        values = {
            name: value.replacing(part, other) if isinstance(value, Wording) else value
            for name, value in self.values.items()
        }
        return Wording(template=self.template, values=values)


Words: TypeAlias = str | Wording
"""What stands in a sentence: words of others, such as titles, or a sentence of ours."""

NOTHING_SAID: Final = Wording(template="")

SENTENCES: Final[dict[str, Sentence]] = {}
"""Every sentence by its template, as far as the modules that compose them are imported."""


class Sentence:
    """A sentence that can be told: `WAITS = Sentence("Waits for: {title}")`, then `WAITS(title="Billing")`."""

    __slots__ = ("places", "template")

    def __init__(self, template: str) -> None:
        self.template = template
        self.places = frozenset(PLACE.findall(template))
        SENTENCES[template] = self

    def __call__(self, **values: Words) -> Wording:
        """The sentence with something in each of its places."""
        if values.keys() != self.places:
            raise TypeError(f"takes {', '.join(sorted(self.places)) or 'nothing'}: {self.template}")
        return Wording(template=self.template, values=values)


def has_words(template: str) -> bool:
    """True unless nothing but places and marks stands in a template: that is the same in every language."""
    return any(map(str.isalpha, PLACE.sub("", template)))


def verbatim(text: str) -> Wording:
    """Words of others, for which there is no other language."""
    return Wording(template="{text}", values={"text": text})


SUM: Final = Sentence("{amount} {currency}")


def of_money(money: Money, amount: str = "") -> Wording:
    """A sum, its amount written as it is kept unless given in another form."""
    return SUM(amount=amount or str(money.amount), currency=money.currency)


BY: Final = Sentence("{what} by {who}")
BECAUSE: Final = Sentence("{what}: {why}")


def wording_of(words: Words) -> Wording:
    """A sentence as data, also where it was written down as text."""
    return words if isinstance(words, Wording) else verbatim(words)


def told_before_as(name: str, default: Any = None) -> Any:
    """A field `{name}_wording` of a model. Orders of version 0.1 have its English text as `name`."""
    return Field(default, validation_alias=AliasChoices(f"{name}_wording", name))


NOTHING: Final = Sentence("nothing")
ONE_BY_ONE: Final = Sentence("{first}; {then}")
IN_A_LIST: Final = Sentence("{first}, {then}")
ALTOGETHER: Final = Sentence("{first} and {then}")


def joined(parts: Iterable[Words], by: Sentence = ONE_BY_ONE) -> Words:
    """Several parts as one; nothing, where there are none. However many there are, it is not deep."""
    told = list(parts)
    if len(told) <= 1:
        return told[0] if told else ""
    half = len(told) // 2
    return by(first=joined(told[:half], by), then=joined(told[half:], by))
