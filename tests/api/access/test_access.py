"""Who gets through which door: every route asks for a token, and for the scope that it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from api.access.guard import AccessError, check_exposure, doorkeeper
from api.access.principal import Scope
from api.app import create_app
from settings import Settings
from tests.api.conftest import ORDERS, SILO, Door, ShutDoor, bearer

UNKNOWN = "web-000000000000"
OPEN = {("GET", "/healthz"), ("GET", "/readyz")}
DOCS = {("GET", "/docs"), ("GET", "/docs/oauth2-redirect")}
INCLUDED = {
    Scope.SUBMIT: {Scope.SUBMIT},
    Scope.READ: {Scope.READ},
    Scope.WORK: {Scope.WORK},
    Scope.CARE: {Scope.CARE, Scope.READ, Scope.WORK},
    Scope.OPERATE: set(Scope),
}
"""What a token of one scope may do, written down a second time."""


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # pyright: ignore[reportCallIssue, reportArgumentType]


def app() -> FastAPI:
    return create_app(settings())


def routes() -> Iterator[tuple[str, str, list[str]]]:
    """Method and path of every route, and the scopes that its documentation names."""
    for path, methods in app().openapi()["paths"].items():
        for method, operation in methods.items():
            if (method.upper(), path) not in OPEN:
                [needed] = operation.get("security") or [{}]
                yield method.upper(), path, needed.get("bearer", [])


ROUTES = list(routes())


async def ask(door: ShutDoor, method: str, path: str, headers: dict[str, str]) -> int:
    """Ask a route for nothing that exists, with nothing that makes sense. Gives the status."""
    filled = re.sub(r"\{.*?\}", UNKNOWN, path.replace("{silo}", SILO))
    return (await door.http.request(method, filled, headers=headers)).status_code


@pytest.mark.parametrize(("method", "path", "scopes"), ROUTES)
async def test_a_route_is_open_to_those_who_have_its_scope_and_to_nobody_else(
    shut_door: ShutDoor, method: str, path: str, scopes: list[str]
) -> None:
    assert await ask(shut_door, method, path, {}) == 401
    assert await ask(shut_door, method, path, bearer("nonsense")) == 401
    assert await ask(shut_door, method, path, shut_door.as_()) == 403
    for scope in Scope:
        status = await ask(shut_door, method, path, shut_door.as_(scope, channel="web"))
        assert status != 401
        assert (status == 403) is not (bool(scopes) and set(scopes) <= {each.value for each in INCLUDED[scope]})
    for silo in (SILO, "tv"):
        status = await ask(shut_door, method, path, shut_door.as_silo(silo))
        assert (status == 403) is not (silo == SILO and path.startswith("/callbacks/"))


def test_every_route_but_the_probes_and_the_silos_door_names_a_scope() -> None:
    documented = {(method, path) for method, path, _ in ROUTES} | OPEN | DOCS
    contexts = [
        context for context in iter_route_contexts(app().routes) if isinstance(context.original_route, APIRoute)
    ]
    assert {(method, context.path_format) for context in contexts for method in context.methods or ()} == documented
    assert [path for _, path, scopes in ROUTES if not scopes] == [
        "/callbacks/{silo}",
        "/callbacks/{silo}/report",
    ]


async def test_a_route_without_a_rule_is_shut_to_those_without_a_token(shut_door: ShutDoor) -> None:
    assert (await shut_door.http.get("/nowhere")).status_code == 401
    assert (await shut_door.http.get("/nowhere", headers=shut_door.as_())).status_code == 404


async def test_the_probes_and_the_documentation_are_open(shut_door: ShutDoor) -> None:
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
        assert (await shut_door.http.get(path)).status_code == 200


async def test_the_documentation_loads_all_it_needs_from_here_without_a_token(shut_door: ShutDoor) -> None:
    page = (await shut_door.http.get("/docs")).text
    loaded = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']*)["']""", page)
    assert {path.rpartition("/")[2] for path in loaded} >= {"swagger-ui-bundle.js", "swagger-ui.css", "openapi.json"}
    for path in loaded:
        assert path.startswith("/"), path
        assert (await shut_door.http.get(path)).status_code == 200, path
    assert "//" not in "".join(loaded)
    for outside in ("/docs/assets", "/docs/assetsx", "/docs/x", "/redoc"):
        assert (await shut_door.http.get(outside)).status_code == 401, outside
    for absent in ("/docs/assets/nowhere", "/docs/assets/../core.py", "/docs/assets/%2e%2e/core.py"):
        assert (await shut_door.http.get(absent)).status_code in (401, 404), absent


async def test_a_refusal_says_what_is_missing_in_the_one_form_and_as_a_challenge(shut_door: ShutDoor) -> None:
    without = await shut_door.http.get(f"{ORDERS}/{UNKNOWN}")
    assert without.headers["www-authenticate"] == 'Bearer realm="orderpipe"'
    assert (without.json()["@type"], without.json()["code"], without.json()["status"]) == (
        "Error",
        "unauthorized",
        "401",
    )
    wrong = await shut_door.http.get(f"{ORDERS}/{UNKNOWN}", headers=bearer("x"))
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
    low = await shut_door.http.get(f"/care/v1/orders/{UNKNOWN}", headers=shut_door.as_channel("web"))
    assert low.headers["www-authenticate"].endswith('error="insufficient_scope", scope="care"')
    assert (low.json()["code"], low.json()["message"]) == ("forbidden", "It needs the scope care")


# Before anything is open


def test_without_an_issuer_the_api_may_listen_on_loopback_only() -> None:
    for host in ("127.0.0.1", "::1", "localhost", "127.1.2.3"):
        check_exposure(settings(), host)
    for host in ("0.0.0.0", "::", "10.0.0.7", "api.example"):
        with pytest.raises(AccessError, match=r"ORDERPIPE_AUTH_ISSUER, ORDERPIPE_AUTH_JWKS and ORDERPIPE_SILO_SECRETS"):
            check_exposure(settings(), host)


def test_with_an_issuer_it_may_listen_anywhere_but_not_decode_for_everybody() -> None:
    check_exposure(settings(auth_issuer="i"), "0.0.0.0")
    check_exposure(settings(auth_issuer="i", codec_open=True), "127.0.0.1")
    with pytest.raises(AccessError, match="ORDERPIPE_CODEC_OPEN"):
        check_exposure(settings(auth_issuer="i", codec_open=True), "0.0.0.0")


def test_half_of_an_access_control_is_refused_with_what_is_missing() -> None:
    with pytest.raises(AccessError, match=r"ORDERPIPE_AUTH_JWKS and ORDERPIPE_SILO_SECRETS must be set too"):
        doorkeeper(settings(auth_issuer="i"))
    with pytest.raises(AccessError, match=r"ORDERPIPE_AUTH_ISSUER must be set too"):
        doorkeeper(settings(auth_jwks="j", silo_secrets="s"))
    assert doorkeeper(settings()) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        ("[]", "file: Input should be an object"),
        ('{"tv": "short-secret"}', "tv.0: String should have at least 16 characters"),
        ('{"tv": []}', "tv: Tuple should have at least 1 item"),
        ('{"tv": "0123456789abcdef", "crm": ["0123456789abcdef"]}', "tv and crm have the same secret"),
    ],
)
def test_secrets_of_silos_that_can_not_be_taken_are_told_and_not_shown(
    tmp_path: Path, content: str | None, told: str
) -> None:
    file = tmp_path / "silos.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(AccessError, match=rf"ORDERPIPE_SILO_SECRETS, .*silos.json, cannot be read: .*{told}") as caught:
        doorkeeper(settings(auth_issuer="i", auth_jwks="j", silo_secrets=file))
    assert "short-secret" not in str(caught.value)


def test_a_silo_may_have_a_new_secret_beside_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "silos.json"
    file.write_text('{"tv": ["new-0123456789abcdef", "old-0123456789abcdef"], "crm": "crm-0123456789abcdef"}')
    assert settings(silo_secrets=file).read_silo_secrets() == {
        "tv": ("new-0123456789abcdef", "old-0123456789abcdef"),
        "crm": ("crm-0123456789abcdef",),
    }


REBOUND = ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "")


@pytest.mark.parametrize("host", REBOUND)
async def test_where_no_token_is_asked_for_the_api_answers_to_its_own_names_only(
    door: Door, shut_door: ShutDoor, host: str
) -> None:
    for path in ("/docs", "/openapi.json", "/care/v1/orders"):
        assert (await door.http.get(path, headers={"host": host})).status_code == 400, path
    for path in ("/docs", "/openapi.json"):
        assert (await shut_door.http.get(path, headers={"host": host})).status_code == 400, path
    assert (await door.http.get("/healthz", headers={"host": host})).status_code == 200
    with_token = await shut_door.http.get("/care/v1/orders", headers={"host": host, **shut_door.as_(Scope.CARE)})
    assert with_token.status_code == 200
    for own in ("localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"):
        assert (await door.http.get("/docs", headers={"host": own})).status_code == 200, own


def test_the_api_is_named_by_its_url_and_what_the_settings_add() -> None:
    named = settings(api_url="https://Orders.example:8443/x", api_names="10.0.0.7, Pipe.example").api_hosts
    assert named >= {"orders.example", "10.0.0.7", "pipe.example", "localhost"}
