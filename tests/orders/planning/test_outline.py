"""An offering's plan in outline: what its templates call for, before anybody has ordered."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_loader.catalog_files import read_catalog
from orders.model.catalog import Catalog
from orders.planning.outline import OutlineTask, outline
from settings import ROOT


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(Path(ROOT) / "catalog")


def tasks_of(catalog: Catalog, offering: str) -> dict[str, OutlineTask]:
    return {task.task: task for task in outline(catalog, catalog.offerings[offering])}


def test_a_task_waits_for_tasks_of_its_own_and_of_included_specifications(catalog: Catalog) -> None:
    tasks = tasks_of(catalog, "mobile-s")
    assert tasks["mobile/sign-contract"].after == ("customer/open-account",)
    assert tasks["mobile/start-billing"].after == ("mobile/activate-subscription",)
    assert tasks["customer/open-account"].after == ()
    assert tasks["mobile/allocate-sim"].when == {"sim_type": "physical"}


def test_a_value_that_the_offering_fixes_leaves_out_what_is_for_others(catalog: Catalog) -> None:
    fixed = catalog.offerings["mobile-s"].model_copy(update={"characteristics": {"sim_type": "esim"}})
    tasks = {task.task: task for task in outline(catalog, fixed)}
    assert "mobile/allocate-sim" not in tasks
    assert "mobile/allocate-sim" in tasks_of(catalog, "mobile-s")
    assert "mobile/allocate-sim" not in tasks["mobile/register-sim"].after


def test_what_stands_on_another_product_names_its_role_and_in_a_bundle_its_task(catalog: Catalog) -> None:
    alone, bundled = tasks_of(catalog, "tv-basic"), tasks_of(catalog, "triple-play-500")
    [task] = [task for task in alone.values() if task.outside]
    assert task.outside == ("internet/activate-line",)
    assert "fibre-internet/activate-line" in bundled[task.task].after
    assert [each for each in bundled.values() if each.outside] == []


def test_a_bundle_has_the_tasks_of_what_fills_it_and_what_they_share_once(catalog: Catalog) -> None:
    tasks = outline(catalog, catalog.offerings["triple-play-500"])
    names = [task.task for task in tasks]
    assert len(names) == len(set(names))
    parts = ("fibre-500", "voice-line", "tv-basic")
    assert {name for part in parts for name in tasks_of(catalog, part)} >= set(names)
    shared = {task.task: task for task in tasks}["delivery/ship-parcel"]
    assert shared.serves == "order"
    assert len(shared.after) > 1


@pytest.mark.parametrize("offering", sorted(read_catalog(Path(ROOT) / "catalog").offerings))
def test_every_offering_of_the_catalog_has_an_outline_in_which_nothing_waits_for_itself(
    catalog: Catalog, offering: str
) -> None:
    tasks = tasks_of(catalog, offering)
    assert tasks
    done: set[str] = set()
    while ready := [name for name, task in tasks.items() if name not in done and done.issuperset(task.after)]:
        done.update(ready)
    assert done == tasks.keys()
