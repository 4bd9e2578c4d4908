"""What processes log: no secret, whatever is thrown where, and no line or control code that somebody sent."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import structlog
from temporalio.testing import WorkflowEnvironment

import logs
from tests.running.logs_probe import LAYERS, SECRETS
from tests.running.pipe import free_port

ROOT = Path(__file__).parent.parent


def test_no_secret_is_logged_whatever_is_thrown_in_which_layer(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    address = temporal.client.service_client.config.target_host
    process = subprocess.run(
        [sys.executable, "-m", "tests.running.logs_probe", address, str(tmp_path), str(free_port())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    logged = process.stdout + process.stderr
    assert [layer for layer in LAYERS if layer not in logged] == [], logged
    assert "MARKED" not in logged, [line for line in logged.splitlines() if "MARKED" in line]
    assert process.returncode == 1
    assert len(SECRETS) == 5
    assert "the register cannot be asked" in logged
    assert "logs_probe.py" in logged


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What is logged, as processes log it."""
    stream, root = StringIO(), logging.getLogger()
    before = root.handlers, root.level, logging.raiseExceptions
    hooks = sys.excepthook, sys.unraisablehook
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure()
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers, root.level, logging.raiseExceptions = before
    sys.excepthook, sys.unraisablehook = hooks


def test_a_line_stays_one_line_whatever_it_tells(logged: StringIO) -> None:
    hostile = "1\n2026 [info] forged\x1b[31m\u202e\x9b"
    structlog.get_logger().info("request", path=hostile, who="a b=c", status=200)
    structlog.get_logger().warning(hostile)
    logging.getLogger("somebody.else").warning("of %s", "another\x1b\r line")
    lines = logged.getvalue().splitlines()
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert lines[0].endswith(r'who="a b=c" status=200')
    assert r"\n2026 [info] forged\u001b[31m" in lines[0]
    assert r"1\n2026 [info] forged\x1b[31m\u202e\x9b" in lines[1]
    assert lines[2].endswith(r"of another\x1b\r line logger=somebody.else")


def test_an_error_is_told_by_its_types_and_the_way_that_it_took(logged: StringIO) -> None:
    try:
        try:
            raise KeyError("a secret")
        except KeyError as error:
            raise ValueError("another") from error
    except ValueError as error:
        structlog.get_logger().error("it failed", exc_info=error)
    told = logged.getvalue()
    assert "builtins.KeyError" in told
    assert "which led to\nbuiltins.ValueError" in told
    assert "test_logs.py" in told
    assert "secret" not in told
    assert "another" not in told


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain Ümläut 🛰", "plain Ümläut 🛰"), ("\x1b]0;x\x07", r"\x1b]0;x\x07"), ("a\u202eb\n", r"a\u202eb\n")],
)
def test_what_a_terminal_would_obey_is_quoted(text: str, shown: str) -> None:
    assert logs.quoted(text) == shown
