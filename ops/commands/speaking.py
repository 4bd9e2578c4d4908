"""What all commands share: that they speak with the API, and how they say that they cannot go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

import logs
from ops.terminal import CommandError, terminal
from settings import Settings, SettingsError

Api = Annotated[str | None, typer.Option("--api", help="The API's address.", show_default="by the settings")]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="ORDERPIPE_TOKEN", show_envvar=True, help="The bearer token.", show_default="one of the local stack"
    ),
]

Json = Annotated[bool, typer.Option("--json", help="For another program.")]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", metavar="TIME", help="15m, 2h or 3d.", show_default="any age")
]

_Result = TypeVar("_Result")


class Commands(TyperGroup):
    """All commands: each may find that a setting is wrong, or that it cannot go on."""

    def invoke(self, ctx: Any) -> Any:  # Their types are in a private module of typer.
        """Run what was asked for."""
        try:
            return super().invoke(ctx)
        except (SettingsError, CommandError) as error:
            raise failed(error) from error


class OrShow(Commands):
    """A group about things that have ids. Without a command's name, the one of that id is shown."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Their types are in a private module of typer.
        """Take what is no command for an id."""
        known = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["show", *args])


def at_the_door(address: str | None, token: str | None, do: Callable[..., Awaitable[_Result]]) -> _Result | None:
    """Do something with the API; None if that was interrupted. A local API gets a token of the local issuer."""
    from ops.client.door import Door, DoorError
    from ops.local.interrupt import until_interrupted
    from ops.local.issuer import local_token

    settings = Settings()
    address = (address or settings.api_address).rstrip("/")
    if token is None and address == settings.api_address:
        token = local_token(settings)

    async def with_door() -> _Result:
        async with Door(address, token=token) as door:
            return await do(door)

    try:
        return asyncio.run(until_interrupted(with_door()))
    except DoorError as error:
        raise failed(error) from error


def failed(error: object) -> typer.Exit:
    """Say what went wrong, without the way through the program, and end with exit status 1."""
    from rich.markup import escape

    terminal(stderr=True).print(
        f"[red]orderpipe:[/red] {escape(logs.quoted(str(error)))}", highlight=False, soft_wrap=True
    )
    return typer.Exit(1)
