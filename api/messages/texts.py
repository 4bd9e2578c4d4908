"""Messages as texts to phones, by whatever gateway takes them by HTTP: what it wants to be posted is a template."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Self

from pydantic import JsonValue, model_validator

from api.messages.handing_over import Handed
from api.messages.posting import Poster, Target
from register.messages.sending import Outgoing, Written

_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
_KNOWN: Final = {"to", "text", "key"}
_NEEDED: Final = ("to", "text")


class TextGateway(Target):
    """The gateway, and what is posted there: `{to}`, `{text}` and `{key}` in the texts of `body` are replaced.

    They are replaced in values only, never in the address: what strangers write into an order leads nowhere else.
    """

    form: bool = False
    """Post `body` as a form in place of JSON."""
    body: dict[str, JsonValue]

    @model_validator(mode="after")
    def _can_be_filled_in(self) -> Self:
        named = {name for text in _texts_in(self.body) for name in _PLACEHOLDER.findall(text)}
        if unknown := sorted(named - _KNOWN):
            raise ValueError(f"body has {', '.join(f'{{{name}}}' for name in unknown)}, which stands for nothing")
        if missing := [name for name in _NEEDED if name not in named]:
            raise ValueError(f"body has no {' and no '.join(f'{{{name}}}' for name in missing)}")
        if self.form and not all(isinstance(value, str) for value in self.body.values()):
            raise ValueError("body must have texts only, since it is a form")
        return self


class TextWay:
    """Posts texts to a gateway."""

    def __init__(self, gateway: TextGateway) -> None:
        self._gateway = gateway
        self._poster = Poster(gateway)

    @asynccontextmanager
    async def handing_over(self, outgoing: Outgoing, written: Written) -> AsyncIterator[Handed]:
        """Post a text: the same one under the same key, however often."""
        gateway = self._gateway
        words = {"to": _dialled(written.recipient), "text": written.text, "key": outgoing.id}
        body = {name: _filled_in(value, words) for name, value in gateway.body.items()}
        again = outgoing.written is not None
        yield await self._poster.post(gateway.url, outgoing.id, body, form=gateway.form, again=again)


def _dialled(number: str) -> str:
    """A phone number as gateways take it: its digits, and a leading plus sign."""
    return re.sub(r"(?!^\+)\D", "", number)


def _filled_in(value: JsonValue, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: words[found[1]], value)
    if isinstance(value, list):
        return [_filled_in(each, words) for each in value]
    if isinstance(value, dict):
        return {name: _filled_in(each, words) for name, each in value.items()}
    return value


def _texts_in(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(each)
