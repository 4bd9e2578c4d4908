"""The command line itself: what it prints, and its exit status."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

import cli
from catalog_loader.catalog_files import read_catalog
from ops.local.ports import free_ports
from settings import ROOT

TRIPLE_PLAY = str(ROOT / "examples" / "orders" / "triple-play.json")


def orderpipe(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "80", **environment})


def every_command() -> Iterator[list[str]]:
    """Each command with the arguments that it needs."""
    groups: list[tuple[list[str], object]] = [([], get_command(cli.app))]
    for names, command in groups:
        if isinstance(command, TyperGroup):
            groups += [([*names, name], each) for name, each in command.commands.items()]
        else:
            yield [*names, *("x" for each in getattr(command, "params", []) if each.required)]


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert orderpipe("--version").stdout == f"orderpipe {project['version']}\n"


@pytest.mark.parametrize("command", list(every_command()), ids=" ".join)
def test_a_wrong_setting_is_one_line_with_the_variables_name_at_every_command(command: list[str]) -> None:
    result = orderpipe(*command, ORDERPIPE_API_PORT="abc")
    assert result.exit_code == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("orderpipe: ORDERPIPE_API_PORT: input should be a valid integer")


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("ORDERPIPE_SILOS_PORT", "65536", "input should be less than or equal to 65535"),
        ("ORDERPIPE_API_URL", "orders.example", "must be a URL that begins with http:// or https://"),
        ("ORDERPIPE_REGISTER_URL", "mysterious://user:hunter2@db/orders", "must be a SQLAlchemy URL such as"),
        ("ORDERPIPE_RATE_PER_SECOND", "-7.25", "input should be greater than 0"),
        ("ORDERPIPE_CODEC_OPEN", "perhaps", "input should be a valid boolean"),
    ],
)
def test_what_is_wrong_with_a_setting_is_told_without_its_value(variable: str, value: str, reason: str) -> None:
    [line] = orderpipe("token", **{variable: value}).stderr.splitlines()
    assert line.startswith(f"orderpipe: {variable}: {reason}")
    assert value not in line


def test_several_wrong_settings_are_told_together() -> None:
    [line] = orderpipe("token", ORDERPIPE_API_PORT="abc", ORDERPIPE_SILOS_URL="abc").stderr.splitlines()
    assert "ORDERPIPE_API_PORT: " in line
    assert "; ORDERPIPE_SILOS_URL: " in line


def test_a_worker_started_as_a_program_tells_a_wrong_setting_in_one_line_too() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "worker.py"], env={"ORDERPIPE_API_PORT": "abc"}, capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("worker: ORDERPIPE_API_PORT: ")
    assert len(ran.stderr.splitlines()) == 1


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """A copy of the shipped catalog."""
    return Path(shutil.copytree(ROOT / "catalog", tmp_path / "catalog"))


def test_a_catalog_that_is_right_is_told_with_its_version_and_what_it_holds(catalog: Path) -> None:
    result = orderpipe("catalog", "check", str(catalog))
    assert result.exit_code == 0
    assert "offerings" in result.stdout
    assert f"{len(read_catalog(catalog).silos)} silos" in result.stdout
    assert len(result.stdout.splitlines()) == 1


def test_without_a_path_the_catalog_of_the_settings_is_checked(catalog: Path) -> None:
    (catalog / "silos.yaml").unlink()
    assert orderpipe("catalog", "check").exit_code == 0
    assert orderpipe("catalog", "check", ORDERPIPE_CATALOG_DIR=str(catalog)).exit_code == 1


def test_each_problem_of_a_catalog_is_told_with_file_path_and_reason(catalog: Path) -> None:
    file = catalog / "offerings" / "mobile.yaml"
    offerings = yaml.safe_load(file.read_text())
    offerings["offerings"]["mobile-s"]["specification"] = "telepathy"
    offerings["offerings"]["mobile-m"]["characteristics"]["data_gb"] = "plenty"
    file.write_text(yaml.safe_dump(offerings))
    result = orderpipe("catalog", "check", str(catalog))
    assert result.exit_code == 1
    first, second, summary = result.stdout.splitlines()
    for line, path in ((first, "mobile-m"), (second, "mobile-s")):
        assert line.startswith("offerings/mobile.yaml:")
        assert f"offerings.{path}" in line
    assert summary == f"{catalog}: 2 problems"


def test_submitting_without_an_api_says_so_and_ends_with_status_1() -> None:
    address = f"http://127.0.0.1:{free_ports(1)[0]}"
    result = orderpipe("submit", TRIPLE_PLAY, "--api", address)
    assert result.exit_code == 1
    assert f"{TRIPLE_PLAY}: The API at {address} does not answer" in result.stderr
    assert "1 failed" in result.stderr
    assert result.stdout == ""


def test_watching_without_an_api_says_so_and_ends_with_status_1() -> None:
    address = f"http://127.0.0.1:{free_ports(1)[0]}"
    result = orderpipe("watch", "web-1", "--api", address)
    assert result.exit_code == 1
    assert f"orderpipe: The API at {address} does not answer" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["worker"],
        ["register", "rebuild"],
        ["register", "abandoned"],
        ["products", "unlock", "web-1"],
        ["order", "rescue", "web-1"],
    ],
    ids=" ".join,
)
def test_without_temporal_every_command_that_needs_it_says_so_in_words(command: list[str], tmp_path: Path) -> None:
    [port] = free_ports(1)
    result = orderpipe(*command, ORDERPIPE_TEMPORAL_PORT=str(port), ORDERPIPE_DATA_DIR=str(tmp_path))
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith(f"orderpipe: Temporal does not answer at 127.0.0.1:{port}. `orderpipe up` starts one")


def test_a_worker_with_a_broken_catalog_says_what_is_wrong_with_it(catalog: Path) -> None:
    (catalog / "silos.yaml").write_text("silos: [")
    result = orderpipe("api", ORDERPIPE_CATALOG_DIR=str(catalog))
    assert result.exit_code == 1
    assert "silos.yaml" in result.stderr


def test_silos_on_a_port_in_use_say_so() -> None:
    result = orderpipe("simulated-silos", "--host", "203.0.113.1")  # An address that no machine has.
    assert result.exit_code == 1
    assert "orderpipe:" in result.stderr


def test_an_api_that_others_could_reach_does_not_start_without_access_control() -> None:
    result = orderpipe("api", "--host", "0.0.0.0")
    assert result.exit_code == 1
    assert "Without access control the API listens on loopback only, not at 0.0.0.0" in result.stderr
    assert "ORDERPIPE_AUTH_ISSUER, ORDERPIPE_AUTH_JWKS and ORDERPIPE_SILO_SECRETS" in result.stderr


def test_silos_whose_secrets_can_not_be_read_say_so(tmp_path: Path) -> None:
    (tmp_path / "silos.json").write_text("[]")
    result = orderpipe("simulated-silos", ORDERPIPE_SILO_SECRETS=str(tmp_path / "silos.json"))
    assert (result.exit_code, "file: Input should be an object" in result.stderr) == (1, True)


def test_a_token_is_printed_for_whom_and_what_it_is_asked_for(tmp_path: Path) -> None:
    folder = {"ORDERPIPE_DATA_DIR": str(tmp_path)}
    assert orderpipe("issuer", **folder).exit_code == 0
    options = ["--scope", "orders:read", "--scope", "orders:submit", "--channel", "web", "--customer", "cust-1"]
    result = orderpipe("token", *options, "--subject", "web-shop", "--minutes", "5", **folder)
    said = jwt.decode(result.stdout.strip(), options={"verify_signature": False})
    assert said["exp"] - said["iat"] == 300
    assert {name: said[name] for name in ("sub", "scope", "channel", "customer")} == {
        "sub": "web-shop",
        "scope": "orders:read orders:submit",
        "channel": "web",
        "customer": "cust-1",
    }
    everything = jwt.decode(orderpipe("token", **folder).stdout.strip(), options={"verify_signature": False})
    assert everything["scope"] == "operate"
    assert "channel" not in everything


def test_a_token_that_can_not_be_made_is_told_why(tmp_path: Path) -> None:
    nowhere = orderpipe("token", ORDERPIPE_DATA_DIR=str(tmp_path))
    assert (nowhere.exit_code, "There is no development issuer in" in nowhere.stderr) == (1, True)
    unknown = orderpipe("token", "--scope", "everything", ORDERPIPE_DATA_DIR=str(tmp_path))
    assert (unknown.exit_code, "There is no such scope: 'everything'" in unknown.stderr) == (1, True)
