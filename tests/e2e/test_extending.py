"""The worked example in docs/extending.md works: its blocks, put where the page says, in a copy of orderpipe."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT
from tests.e2e.stranger import PORT
from tests.running.pipe import free_port

PAGE = (ROOT / "docs/extending.md").read_text()
BLOCKS = re.findall(r"^```(?:yaml|python)\n# ([\w/.-]+)(?:, in (\w+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LAST_LINES = {
    "Protocol": '    TMF641 = "tmf641", False\n',
    "adapter_of": "            return Tmf641(http)\n",
}
"""After which line of the shipped code what is to stand `in` something is put."""
REGISTRATION = "activities/calling/silo_activities.py"
IMPORT = "from activities.protocols.http_client import SiloHttp\n"


@pytest.fixture(name="copy")
def a_copy_with_the_blocks_of_the_page(tmp_path: Path) -> Path:
    """Orderpipe with what the page adds to it."""
    copy = tmp_path / "orderpipe"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "bench", "histories", "docs", "node_modules")
    shutil.copytree(ROOT, copy, ignore=left_out)
    for name, place, block in BLOCKS:
        file = copy / name
        file.parent.mkdir(exist_ok=True)
        if not place:
            assert not file.exists(), f"{name} is no file of its own"
            file.write_text(block)
        else:
            insert(file, LAST_LINES[place], block)
    insert(copy / REGISTRATION, IMPORT, "from activities.protocols.json_rpc import JsonRpc\n")
    return copy


def insert(file: Path, after: str, block: str) -> None:
    text = file.read_text()
    assert text.count(after) == 1
    file.write_text(text.replace(after, after + block))


def run(copy: Path, *command: str, **variables: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(copy), **variables}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=copy, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.parametrize("protocol", ["tmf640", "json-rpc"])
def test_an_order_runs_through_a_new_product_silo_and_protocol(protocol: str, copy: Path) -> None:
    variables: dict[str, str] = {}
    if protocol == "json-rpc":
        silo, port = copy / "catalog/silos/iot-platform.yaml", free_port()
        text = silo.read_text().replace("tmf640", protocol)
        silo.write_text(text.replace("address: /iot-platform", f"address: http://127.0.0.1:{port}/rpc"))
        variables[PORT] = str(port)
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/e2e/stranger.py", **variables)


def test_the_type_checker_insists_on_the_class_of_a_new_protocol(copy: Path) -> None:
    (copy / ".venv").symlink_to(sys.prefix)  # Where pyproject.toml has the type checker look for packages.
    checked = ["basedpyright", "--level", "error", REGISTRATION, "activities/protocols/json_rpc.py"]
    run(copy, *checked)
    file = copy / REGISTRATION
    registration = next(block for _, place, block in BLOCKS if place == "adapter_of")
    file.write_text(file.read_text().replace(registration, ""))
    with pytest.raises(AssertionError, match="JSON_RPC"):
        run(copy, *checked)
