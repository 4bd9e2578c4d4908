"""How commands speak to people: on a terminal, and where they cannot go on."""

from __future__ import annotations

from rich.console import Console


class CommandError(Exception):
    """A command cannot do what it was asked for: says why, for people."""


def terminal(*, stderr: bool = False) -> Console:
    """Standard output, or standard error, with text as it is: rich would show an order named `:100:` as an emoji."""
    return Console(stderr=stderr, emoji=False)
