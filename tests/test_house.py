"""The house's own rules, where no linter holds them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from settings import Settings

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "activities",
    "api",
    "catalog_loader",
    "cli",
    "logs",
    "ops",
    "orders",
    "register",
    "simulated_silos",
    "worker",
    "workflows",
}

# Split, so that this file does not hold what it looks for.
FORBIDDEN = [
    *(f"/{place}/" for place in ("work", "farm", "home", "Users", "root")),
    *(f"/opt/{place}" for place in ("wheels", "pypi")),
    *(f"{name}.{domain}" for name, domain in (("pypi", "org"), ("python" + "hosted", "org"), ("npmjs", "org"))),
    "deb." + "debian",
    "--index" + "-url",
    "--find" + "-links",
]


def tracked_files() -> list[Path]:
    """What is committed or about to be, without what was deleted."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def imports_of(module: Path) -> set[str]:
    """Top-level names that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_no_tracked_file_names_a_machine_path_or_a_package_index() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked_files()
        if path != Path(__file__)
        for text in [path.read_bytes().decode(errors="ignore")]
        for word in FORBIDDEN
        if word in text
    ]
    assert not found


def test_imports_point_one_way() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("module", "may_import"),
    [
        ("settings.py", set[str]()),
        ("logs.py", set[str]()),
        ("worker.py", {"activities", "catalog_loader", "logs", "orders", "register", "workflows"}),
    ],
)
def test_a_top_level_module_imports_only_what_stands_below_it(module: str, may_import: set[str]) -> None:
    # import-linter sees packages only.
    assert (imports_of(ROOT / module) & PACKAGES) - {Path(module).stem} <= may_import


def test_every_locked_package_has_hashes_and_the_two_locks_agree() -> None:
    runtime, everything = (
        {
            name: (version, hashes.count("--hash=sha256:"))
            for name, version, hashes in re.findall(
                r"^([a-z0-9._-]+)==(\S+)(.*(?:\n .*)*)", (ROOT / lock).read_text(), flags=re.MULTILINE
            )
        }
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime.items() <= everything.items()
    assert all(hashes for _, hashes in everything.values())


def test_every_setting_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| .*", (ROOT / "docs" / "operating.md").read_text(), flags=re.MULTILINE)
    named = {name for row in documented for name in re.findall(r"`ORDERPIPE_([A-Z_]+)`", row.split("|")[1])}
    # What the command line's own option reads.
    assert named - {"TOKEN"} == {name.upper() for name in Settings.model_fields}


def test_every_link_of_a_page_leads_to_a_file() -> None:
    pages = [path for path in tracked_files() if path.suffix == ".md"]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#]+)", page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert not broken
