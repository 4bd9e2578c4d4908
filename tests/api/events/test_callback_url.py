"""Callbacks as they are written."""

from __future__ import annotations

import pytest

from api.events.callback_url import wrong_with


@pytest.mark.parametrize(
    ("callback", "problem"),
    [
        ("http://shop.example/", "must begin with https://"),
        ("ftp://shop.example/", "must begin with https://"),
        ("shop.example", "must begin with https://"),
        ("https://", "names no host"),
        ("https://shop.example:port/", "is no URL"),
        ("https://shop.example:0/", "names a port that there cannot be"),
        ("https://shop.example:65536/", "names a port that there cannot be"),
        (f"https://{'a' * 64}.example/", "names a host that there cannot be"),
        (f"https://{'a.' * 127}example/", "names a host that there cannot be"),
        (f"https://{'ü' * 60}.example/", "is no URL"),
        ("https://a..example/", "names a host that there cannot be"),
        ("https://-a.example/", "names a host that there cannot be"),
        ("https://a b.example/", "names a host that there cannot be"),
        ("https://%00.example/", "names a host that there cannot be"),
        ("https://a:b@shop.example/", "may hold no user and password"),
        ("https://shop.example/#here", "may hold no fragment"),
    ],
)
def test_a_callback_that_can_not_be_meant_is_refused(callback: str, problem: str) -> None:
    assert (wrong_with(callback, allow_internal=False) or "").startswith(problem)


@pytest.mark.parametrize(
    "callback",
    [
        "https://shop.example",
        "https://shop.example:65535/events?key=1",
        "https://shop.example.:1/",
        "https://bücher.example/",
        f"https://{'a' * 63}.example/",
        "https://a_b.example/",
        "https://[2001:db8::1]:8443/",
        "https://192.0.2.1/",
    ],
)
def test_a_callback_that_can_be_meant_is_taken(callback: str) -> None:
    assert wrong_with(callback, allow_internal=False) is None


def test_without_tls_only_where_internal_addresses_are_allowed() -> None:
    assert wrong_with("http://127.0.0.1:8000/", allow_internal=True) is None
