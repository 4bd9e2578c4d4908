"""The demonstration, whole: what a newcomer runs first."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ops.demo.walkthrough import run_demo
from settings import Settings


def ran() -> tuple[bool, str]:
    text = io.StringIO()
    return run_demo(Settings(), Console(file=text, width=100)), text.getvalue()


@pytest.mark.e2e
@pytest.mark.slow
def test_the_demonstration_holds_and_says_so_in_plain_lines() -> None:
    done, told = ran()
    assert done, told
    for words in (
        "Four orders come in",
        "mobile-core",
        "Accepted as revision 2",
        "Cancelled. The silos hold nothing of it any more.",
        "The line runs at 1000 Mbit/s, and TV has the pack cinema.",
        "The silos hold exactly what was last asked for, and nothing else.",
        "/workflows/order-web-",
    ):
        assert words in told
    assert "✗" not in told
    assert "\x1b" not in told
