"""`orderpipe catalog check`: what a catalog holds, or everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from catalog_loader.catalog_files import CatalogError, read_catalog
from catalog_loader.messages.book import read_messages
from logs import quoted
from orders.model.catalog import Catalog


def check_catalog(folder: Path, console: Console) -> bool:
    """Print the catalog's digest and counts, or each of its problems: file, path in it, reason. True if it is right."""
    try:
        catalog = read_catalog(folder)
        read_messages(folder, catalog)
    except CatalogError as error:
        for problem in error.problems:
            _print(console, str(problem))
        count = len(error.problems)
        _print(console, f"{folder}: {_counted(count, 'problem')}")
        return False
    _print(console, f"{folder}: {_summary(catalog)}")
    return True


def _summary(catalog: Catalog) -> str:
    tasks = sum(len(specification.tasks) for specification in catalog.specifications.values())
    counts = (
        _counted(len(catalog.offerings), "offering"),
        _counted(len(catalog.specifications), "specification"),
        _counted(tasks, "task"),
        _counted(len(catalog.silos), "silo"),
    )
    return f"version {catalog.digest}: {', '.join(counts)}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _print(console: Console, line: str) -> None:
    console.print(quoted(line), highlight=False, markup=False, soft_wrap=True)
