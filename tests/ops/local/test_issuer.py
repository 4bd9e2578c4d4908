"""The issuer of the stack on one machine: made once, kept to its owner, and believed by the API that it is for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from api.access.guard import Doorkeeper, doorkeeper
from api.access.principal import Principal, Scope
from api.errors import Unauthorized
from ops.local.issuer import DevelopmentIssuer, local_token
from ops.local.stack import Stack, on_free_ports
from settings import Settings


def issuer_in(folder: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer(Settings(_env_file=None, data_dir=folder))  # pyright: ignore[reportCallIssue]


def keeper_of(issuer: DevelopmentIssuer) -> Doorkeeper:
    keeper = doorkeeper(issuer.configured)
    assert keeper is not None
    return keeper


async def test_its_tokens_and_the_silos_secrets_are_taken_by_the_api_that_it_configures(tmp_path: Path) -> None:
    issuer = issuer_in(tmp_path)
    issuer.prepare(["tv"])
    keeper = keeper_of(issuer)
    token = issuer.token([Scope.READ], subject="web-shop", channel="web", customer="cust-1")
    web = Principal("web-shop", frozenset({Scope.READ}), "web", "cust-1")
    assert await keeper.principal(f"Bearer {token}") == web
    [secret] = issuer.configured.read_silo_secrets()["tv"]
    assert (await keeper.principal(f"bearer {secret}")).silo == "tv"


async def test_what_one_folder_issues_is_not_taken_by_the_api_of_another(tmp_path: Path) -> None:
    here, there = issuer_in(tmp_path / "here"), issuer_in(tmp_path / "there")
    for issuer in (here, there):
        issuer.prepare(["tv"])
    for token in (there.token(), there.configured.read_silo_secrets()["tv"][0], "x" * 10_000):
        with pytest.raises(Unauthorized):
            await keeper_of(here).principal(f"Bearer {token}")


def test_everything_of_it_is_its_owners_alone(tmp_path: Path) -> None:
    issuer_in(tmp_path).prepare(["tv"])
    folder = tmp_path / "access"
    assert sorted(os.listdir(folder)) == ["jwks.json", "key.pem", "login.json", "silos.json"]
    assert [path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())] == [0] * 5


def test_preparing_it_again_changes_nothing_but_adds_what_is_missing(tmp_path: Path) -> None:
    issuer = issuer_in(tmp_path)
    issuer.prepare(["tv"])
    key, secrets = (tmp_path / "access" / "key.pem").read_bytes(), issuer.configured.read_silo_secrets()
    issuer.prepare(["tv", "crm"])
    assert (tmp_path / "access" / "key.pem").read_bytes() == key
    assert issuer.configured.read_silo_secrets() == {**secrets, "crm": issuer.configured.read_silo_secrets()["crm"]}


def test_without_one_there_is_no_local_token(tmp_path: Path) -> None:
    assert local_token(issuer_in(tmp_path).settings) is None


def test_a_stack_keeps_to_an_issuer_that_the_settings_name(tmp_path: Path) -> None:
    named = Settings.model_validate({"auth_issuer": "https://login.example", "data_dir": tmp_path})
    assert Stack(named).settings.auth_issuer == "https://login.example"
    own = Stack(on_free_ports(named, tmp_path)).settings
    assert (own.auth_issuer, own.codec_open) == ("orderpipe-development", True)


def test_a_stack_that_others_can_reach_decodes_for_nobody_without_a_token(tmp_path: Path) -> None:
    assert not Stack(Settings.model_validate({"api_host": "0.0.0.0", "data_dir": tmp_path})).settings.codec_open
