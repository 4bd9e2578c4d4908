"""What every process logs: lines on standard error that hold no secret, and nothing that a terminal would obey.

A line is text for people, or a JSON object for programs, by setting. It names what it is about in fields of their own,
the same in every process: `order`, `external_id`, `task`, `silo`, `attempt`, `change`, `request_id`.

Of an error there is its type and the way that it took through the code, with neither its words nor the values on the
way: those may be anything that somebody sent, a token or a customer's name. Who logs an error says in the line itself
what is known to be harmless. Other libraries' lines are cut after the first, since what follows quotes such errors.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

_CODE: Final = re.compile(r"[\w.:-]{1,64}", re.ASCII)
OURS: Final = "orderpipe"
"""The name of the one logger that all of ours write to."""


TOLD: Final = "told"
"""What a line of a workflow or an activity tells in fields of their own: `extra={TOLD: {...}}`."""
OF_WORKFLOWS: Final = ("temporalio.workflow", "temporalio.activity")
"""The loggers by which Temporal's SDK has workflows and activities log: those are ours too."""


def configure(level: str = "info", *, as_json: bool = False) -> None:
    """Have all that this process logs written like that: ours, that of libraries, and errors that nobody catches.

    `level` is the lowest of ours; of libraries nothing below a warning is told.
    """
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
                _of_the_sdk,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _way_of_error,
                _object if as_json else _line,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    lowest = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(lowest, logging.WARNING))
    for name in (OURS, *OF_WORKFLOWS):
        logging.getLogger(name).setLevel(lowest)
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


def code(text: str) -> str:
    """What somebody else calls a code, if it looks like one: else it may be a sentence about a person."""
    return text if _CODE.fullmatch(text) else "unreadable"


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


def _of_the_sdk(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """What a line of a workflow or an activity is about, in our words, and what it tells beside its text."""
    record = event.get("_record")
    if event.get("_from_structlog") or record is None:
        return event
    at_work: dict[str, Any] | None = getattr(record, "temporal_workflow", None)
    if at_work is None:
        at_work = getattr(record, "temporal_activity", None)
    if at_work is not None:
        event.pop("logger", None)
        event["order"] = str(at_work.get("workflow_id", "")).removeprefix("order-")
        if "activity_type" in at_work:
            event["activity"], event["attempt"] = at_work["activity_type"], at_work.get("attempt")
    event.update(getattr(record, TOLD, {}))
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


def _object(_: WrappedLogger, __: str, event: EventDict) -> str:
    known = {"time": event.pop("timestamp"), "level": event.pop("level"), "event": str(event.pop("event"))}
    return json.dumps({**known, **event}, default=repr)


def _value(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    plain = text.isprintable() and not any(each in text for each in ' "=')
    return text if plain and text else json.dumps(text)
