"""Temporal and the register, as the maintenance commands meet them: what goes wrong there is said in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from temporalio.service import RPCError

from ops.terminal import CommandError
from register.engine import RegisterError
from workflows.sdk.connection import TemporalUnreachable


@contextmanager
def said_in_words() -> Iterator[None]:
    """What Temporal or the register refuses, in one task or in several, told for people.

    Raises:
        CommandError: in place of that.
    """
    try:
        yield
    except (RegisterError, TemporalUnreachable, RPCError, DBAPIError, ExceptionGroup) as error:
        told = _told(_first(error))
        if told is None:
            raise
        raise CommandError(told) from error


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _told(error: Exception) -> str | None:
    match error:
        case RegisterError() | TemporalUnreachable():
            return str(error)
        case RPCError():
            return f"Temporal does not do what it is asked: {error.message} ({error.status.name})"
        case DBAPIError():  # Without what SQLAlchemy adds: the statement.
            return f"The register cannot be used: {str(error.orig).partition(chr(10))[0]}"
        case _:
            return None
