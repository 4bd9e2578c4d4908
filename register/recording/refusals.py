"""Which records a database will never take, however often it is tried: what is in them is the reason."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import InterfaceError, InternalError, NotSupportedError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from temporalio import activity
from temporalio.exceptions import ApplicationError

from register.engine import RegisterError

RECORD_REFUSED: Final = "RecordRefused"
_TRIES: Final = 3
"""So often a record is tried all the same: two writers may have met."""

_NOT_ITS_FAULT: Final = (
    OperationalError,  # Not reachable, locked, full, shutting down.
    InterfaceError,
    InternalError,
    NotSupportedError,
    ProgrammingError,  # No such table, or no right to it: whoever runs the database has to mend that.
    NoConnectionFree,
    RegisterError,
    OSError,
)


@contextmanager
def refusals_told() -> Generator[None]:
    """Within an activity: what is no fault of the database is not tried without end, but told as refused.

    Raises:
        ApplicationError: of the type `RECORD_REFUSED`, without a value of what was refused.
    """
    try:
        yield
    except _NOT_ITS_FAULT:
        raise
    except Exception as error:
        refused = f"the register does not take the record: {type(getattr(error, 'orig', None) or error).__name__}"
        raise ApplicationError(refused, type=RECORD_REFUSED, non_retryable=_is_last()) from error


def _is_last() -> bool:
    return not activity.in_activity() or activity.info().attempt >= _TRIES
