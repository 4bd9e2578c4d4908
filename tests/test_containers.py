"""docker-compose.yml and what it builds on agree with each other and with the project.

No Docker here: what is checked is everything short of running it.
"""

import asyncio
import os
import re
import subprocess
import sysconfig
import tomllib
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import typer
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.envconfig import ClientConfig
from temporalio.testing import WorkflowEnvironment

import cli
from ops.local.issuer import DevelopmentIssuer
from settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
TEMPORAL = Path(sysconfig.get_path("scripts")) / "temporal"


def environment(service: dict[str, Any]) -> dict[str, str]:
    return service.get("environment", {})


def published(service: str) -> dict[int, int]:
    """Container port to the port on this machine."""
    ports = (entry.rsplit(":", 2) for entry in SERVICES[service].get("ports", []))
    return {int(inside): int(outside) for _, outside, inside in ports}


def default(setting: str) -> object:
    return Settings.model_fields[setting].get_default(call_default_factory=True)


def test_the_compose_file_follows_the_compose_specification() -> None:
    jsonschema.validate(COMPOSE, get_builtin_schema("vendor.compose-spec"))


def test_the_project_has_four_services_of_its_own() -> None:
    assert set(OURS) == {"api", "issuer", "silos", "worker"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_starts_a_command_that_exists_with_options_that_it_takes(name: str) -> None:
    program, command, *arguments = OURS[name]["command"]
    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    commands = typer.main.get_command(cli.app).commands  # pyright: ignore[reportAttributeAccessIssue]
    commands[command].make_context(command, arguments)


@pytest.mark.parametrize("name", OURS)
def test_a_services_environment_names_settings_that_exist(name: str) -> None:
    prefix = Settings.model_config.get("env_prefix", "")
    ours = {variable for variable in environment(OURS[name]) if not variable.startswith("TEMPORAL_")}
    assert ours <= {f"{prefix}{field}".upper() for field in Settings.model_fields}


@pytest.mark.parametrize("name", OURS)
def test_a_service_finds_temporal_where_it_listens(name: str) -> None:
    connection = ClientConfig.load_client_connect_config(disable_file=True, override_env_vars=environment(OURS[name]))
    host, _, port = connection.get("target_host", "").partition(":")
    assert int(port) in published(host)
    assert connection.get("namespace") == environment(SERVICES["temporal-namespace"])["TEMPORAL_NAMESPACE"]


@pytest.mark.parametrize(("setting", "service"), [("silos_url", "silos"), ("api_url", "api")])
def test_the_services_find_each_other_where_they_listen(setting: str, service: str) -> None:
    for ours in OURS.values():
        address = urlsplit(environment(ours)[f"ORDERPIPE_{setting.upper()}"])
        assert address.hostname == service
        assert address.port in published(service)


@pytest.mark.parametrize(
    ("service", "setting"),
    [
        ("api", "api_port"),
        ("silos", "silos_port"),
        ("temporal", "temporal_port"),
        ("temporal-ui", "temporal_ui_port"),
    ],
)
def test_a_service_is_reached_at_the_same_port_as_without_containers(service: str, setting: str) -> None:
    assert list(published(service).values()) == [default(setting)]


def test_every_published_port_is_open_to_this_machine_only() -> None:
    assert all(entry.startswith("127.0.0.1:") for service in SERVICES.values() for entry in service.get("ports", []))


@pytest.mark.parametrize("name", ["api", "silos"])
def test_the_ports_of_a_service_are_the_ones_that_its_command_and_its_health_check_name(name: str) -> None:
    command = OURS[name]["command"]
    assert int(command[command.index("--port") + 1]) in published(name)
    assert command[command.index("--host") + 1] == "0.0.0.0"
    (address,) = re.findall(r"http://[^']+", OURS[name]["healthcheck"]["test"][-1])
    assert urlsplit(address).port in published(name)


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_mounts_exists_and_holds_the_files_that_it_names(name: str) -> None:
    service = SERVICES[name]
    mounts = [entry.split(":") for entry in service.get("volumes", [])]
    for source, *_ in mounts:
        assert (ROOT / source).is_dir() if source.startswith(".") else source in COMPOSE["volumes"]
    inside = {target: ROOT / source for source, target, *_ in mounts if source.startswith(".")}
    named = [*environment(service).values(), *service.get("entrypoint", [])]
    for word in (word for word in named if word.startswith("/deploy")):
        assert (inside["/deploy"] / Path(word).name).is_file()


@pytest.mark.parametrize("name", ["api", "silos"])
def test_the_api_and_the_silos_find_what_the_issuer_makes_before_they_start(name: str) -> None:
    given = environment(OURS[name])
    made = DevelopmentIssuer(Settings(data_dir=Path(environment(OURS["issuer"])["ORDERPIPE_DATA_DIR"]))).configured
    assert given["ORDERPIPE_AUTH_ISSUER"] == made.auth_issuer
    assert given["ORDERPIPE_AUTH_JWKS"] == made.auth_jwks
    assert given["ORDERPIPE_SILO_SECRETS"] == str(made.silo_secrets)
    assert OURS[name]["depends_on"]["issuer"] == {"condition": "service_completed_successfully"}
    assert any(volume.startswith("data:/data") for volume in OURS[name]["volumes"])


def test_the_worker_the_api_and_the_issuer_keep_their_data_on_one_volume() -> None:
    for name in ("worker", "api", "issuer"):
        assert f"data:{environment(OURS[name])['ORDERPIPE_DATA_DIR']}" in OURS[name]["volumes"]


@pytest.mark.parametrize("name", ["worker", "api"])
def test_the_register_is_in_a_database_of_its_own_beside_those_of_temporal(name: str) -> None:
    register = urlsplit(environment(OURS[name])["ORDERPIPE_REGISTER_URL"])
    assert (register.hostname, register.port) == ("postgres", 5432)
    assert register.username == environment(SERVICES["postgres"])["POSTGRES_USER"]
    assert register.password == environment(SERVICES["postgres"])["POSTGRES_PASSWORD"]
    script = (ROOT / "deploy/temporal/create-schema.sh").read_text()
    assert f"--db {register.path.removeprefix('/')} create-database" in script


def test_every_image_names_its_version() -> None:
    foreign = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert foreign
    assert all(re.search(r":(\$\{\w+:-)?\d", image) for image in foreign)


def test_the_temporal_server_in_containers_is_the_one_that_the_demo_runs() -> None:
    version = subprocess.run([TEMPORAL, "--version"], capture_output=True, text=True, check=True).stdout
    images = " ".join(service["image"] for service in SERVICES.values())
    server, ui = re.findall(r"(?:Server|UI) ([\d.]+)", version)
    assert re.findall(r"TEMPORAL_VERSION:-([\d.]+)", images) == [server] * 3
    assert re.findall(r"TEMPORAL_UI_VERSION:-([\d.]+)", images) == [ui]


def test_the_image_gets_what_the_project_packages_and_nothing_else() -> None:
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    assert set(kept) == {*packaged["only-include"], "pyproject.toml", "requirements.lock"}
    assert all((ROOT / name).exists() for name in kept)


def test_the_dynamic_configuration_has_the_form_that_the_server_reads() -> None:
    for values in yaml.safe_load((ROOT / "deploy/temporal/dynamicconfig.yaml").read_text()).values():
        assert values
        assert all(set(value) <= {"value", "constraints"} for value in values)


@pytest.fixture
async def bare_server() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=str(TEMPORAL)) as server:
        yield server


async def test_the_namespace_script_makes_every_search_attribute_of_an_order_and_can_run_twice(
    bare_server: WorkflowEnvironment,
) -> None:
    script = environment(SERVICES["temporal-namespace"]) | {
        "TEMPORAL_ADDRESS": bare_server.client.service_client.config.target_host,
        "PATH": os.pathsep.join([str(TEMPORAL.parent), os.environ["PATH"]]),
    }
    for _attempt in range(2):
        ran = await asyncio.create_subprocess_exec(
            "sh", ROOT / "deploy/temporal/create-namespace.sh", env=script, stdout=PIPE, stderr=STDOUT
        )
        output, _ = await ran.communicate()
        assert ran.returncode == 0, output.decode()
    made = await bare_server.client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=script["TEMPORAL_NAMESPACE"])
    )
    prefix = "INDEXED_VALUE_TYPE_"
    assert {
        name: IndexedValueType.Name(kind).removeprefix(prefix) for name, kind in made.custom_attributes.items()
    } == {
        "OrderState": "KEYWORD",
        "OrderRevision": "INT",
        "ExternalId": "KEYWORD",
        "CustomerId": "KEYWORD",
        "Channel": "KEYWORD",
        "Offerings": "KEYWORD_LIST",
        "WaitsFor": "KEYWORD_LIST",
        "FalloutSilos": "KEYWORD_LIST",
        "InJeopardy": "BOOL",
        "Jeopardy": "KEYWORD",
        "PromisedAt": "DATETIME",
        "Problem": "KEYWORD",
    }
