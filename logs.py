"""What every process logs: lines on standard error that hold no secret, and nothing that a terminal would obey.

Of an error there is its type and the way that it took through the code, with neither its words nor the values on the
way: those may be anything that somebody sent, a token or a customer's name. Who logs an error says in the line itself
what is known to be harmless. Other libraries' lines are cut after the first, since what follows quotes such errors.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

OURS: Final = "orderpipe"
"""The name of the one logger that all of ours write to."""


def configure() -> None:
    """Have all that this process logs written like that: ours, that of libraries, and errors that nobody catches."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=lambda *_: logging.getLogger(OURS),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                _first_line_of_others,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _way_of_error,
                _line,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # Else a line that cannot be formatted is printed with all its values.
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def quoted(text: str) -> str:
    """A text with everything quoted that is no visible character: line ends, terminals' control codes, and such."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def way_of(error: BaseException) -> str:
    """The types of an error and of what led to it, each with the way that it took; no words and no values."""
    return "\n".join(_steps(error, "", set()))


def _steps(error: BaseException, indent: str, told: set[int]) -> Iterator[str]:
    if id(error) in told:
        return
    told.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _steps(before, indent, told)
        yield f"{indent}which led to"
    yield f"{indent}{type(error).__module__}.{type(error).__qualname__}"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"{indent}  {frame.filename}:{frame.lineno} in {frame.name}"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _steps(each, f"{indent}  ", told)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    structlog.get_logger().critical("an error was not caught", exc_info=error or kind().with_traceback(trace))


def _first_line_of_others(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if not event.get("_from_structlog"):
        event["event"] = str(event["event"]).partition("\n")[0]
        event["logger"] = event["_record"].name
    return event


def _way_of_error(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    found = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        event["way"] = way_of(found)
    return event


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    time, level, what = event.pop("timestamp"), event.pop("level"), quoted(str(event.pop("event")))
    way = event.pop("way", None)
    line = " ".join([time, f"[{level}]", what, *(f"{name}={_value(value)}" for name, value in event.items())])
    return line if way is None else f"{line}\n{way}"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    plain = text.isprintable() and not any(each in text for each in ' "=')
    return text if plain and text else json.dumps(text)
