"""What docs/extending.md says about the catalog is true."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from catalog_loader.catalog_files import read_catalog
from orders.model.catalog import (
    BundleComponent,
    Catalog,
    Characteristic,
    Dependency,
    InputTemplate,
    PointOfNoReturn,
    Polling,
    Price,
    ProductOffering,
    ProductSpecification,
    RetryBudget,
    Silo,
    TaskTemplate,
)
from orders.model.order import OrderRequest, RequestedItem, Site
from orders.model.plan import Plan
from orders.model.silos.http_silo import (
    Answers,
    HttpLogin,
    HttpOperation,
    HttpQuestion,
    HttpReport,
    HttpRequest,
    HttpSilo,
    Rule,
)
from orders.model.silos.manual_silo import ManualOperation, ManualSilo
from orders.model.values import Action, Frozen
from orders.planning.capture import capture
from orders.planning.decompose import decompose

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/extending.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(name="extended", scope="module")
def the_shipped_catalog_with_the_examples(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The shipped catalog with every block of the page put where the page says."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "catalog", folder / "catalog")
    for block in BLOCKS:
        named = re.match(r"# (catalog/\S+)\n", block)
        assert named
        file = folder / named[1]
        assert not file.exists(), "a new thing stands in a file of its own"
        file.parent.mkdir(exist_ok=True)
        file.write_text(block)
    return read_catalog(folder / "catalog")


def plan_of(catalog: Catalog, *items: RequestedItem) -> Plan:
    request = OrderRequest(external_id="x", channel="web", customer_id="c", items=items)
    return decompose(catalog, "o", capture(catalog, request, "o"))


def test_the_example_of_a_new_offering_can_be_ordered(extended: Catalog) -> None:
    plan = plan_of(extended, RequestedItem(id="1", offering="fibre-250-summer", site=Site(id="home")))
    assert plan.tasks["o.1.1/fibre-internet/activate-line"].inputs == {
        "down_mbps": 250,
        "up_mbps": 100,
        "status": "active",
    }


def test_the_example_of_a_new_product_can_be_ordered(extended: Catalog) -> None:
    plan = plan_of(
        extended,
        RequestedItem(id="1", offering="fibre-100", site=Site(id="home")),
        RequestedItem(id="2", offering="smart-home", relies_on=("1",)),
    )
    home = plan.tasks["o.2.1/smart-home/register-home"]
    assert home.builds_on == ("o.2.1/smart-home/allocate-hub", "o.1.1/fibre-internet/activate-line")
    assert plan.tasks["o.2.1/smart-home/allocate-hub"].release_after == (home.key,)
    assert home.builds_on[0] in plan.tasks["o/delivery/ship-parcel"].builds_on
    assert plan.silos["iot-platform"].rate_per_second == 20


def test_every_block_is_used() -> None:
    assert len(BLOCKS) == 8
    assert all(yaml.safe_load(block) for block in BLOCKS)


@pytest.mark.parametrize(
    "model",
    [
        BundleComponent,
        Characteristic,
        Dependency,
        InputTemplate,
        PointOfNoReturn,
        Polling,
        Price,
        ProductOffering,
        ProductSpecification,
        RetryBudget,
        Silo,
        TaskTemplate,
    ],
)
def test_every_field_of_the_format_is_explained(model: type[Frozen]) -> None:
    reference = PAGE.partition("## Reference")[2]
    fields = {field.alias or name for name, field in model.model_fields.items()} - {"name"}
    assert not {field for field in fields if f"`{field}`" not in reference}


@pytest.mark.parametrize(
    "model", [Answers, HttpLogin, HttpOperation, HttpQuestion, HttpReport, HttpRequest, HttpSilo, Rule]
)
def test_every_field_of_templates_is_explained(model: type[Frozen]) -> None:
    section = PAGE.partition("## A silo with JSON of its own")[2].partition("\n## ")[0]
    assert not {name for name in model.model_fields if not re.search(rf"\b{name}\b", section)}


@pytest.mark.parametrize("model", [ManualOperation, ManualSilo])
def test_every_field_of_work_for_people_is_explained(model: type[Frozen]) -> None:
    section = PAGE.partition("## Work for people")[2].partition("\n## ")[0]
    assert not {name for name in model.model_fields if not re.search(rf"\b{name}\b", section)}


def test_the_example_of_a_silo_with_json_of_its_own_is_spoken_to_by_templates(extended: Catalog) -> None:
    plan = plan_of(extended, RequestedItem(id="1", offering="alarm"))
    assert plan.tasks["o.1.1/alarm/guard-home"].inputs == {"customer": "c", "guards": 1}
    assert plan.tasks["o.1.1/alarm/hand-in-key"].builds_on == ("o.1.1/alarm/guard-home",)
    assert not extended.silos["alarm-centre"].answers_at_once
    assert plan.silos["alarm-centre"].http is None  # Orders need not carry that along.


def test_a_later_order_ships_what_is_made_anew_and_nothing_else(extended: Catalog) -> None:
    request = OrderRequest(
        external_id="x",
        channel="web",
        customer_id="c",
        items=(
            RequestedItem(id="1", offering="fibre-100", site=Site(id="home")),
            RequestedItem(id="2", offering="smart-home", relies_on=("1",)),
        ),
    )
    first = capture(extended, request, "o")
    held = decompose(extended, "o", first)

    def parcel(item: str, **characteristics: JsonValue) -> tuple[str, ...]:
        items = [
            one.model_copy(
                update={"action": Action.MODIFY, "characteristics": {**one.characteristics, **characteristics}}
                if one.id == item
                else {"action": Action.NO_CHANGE}
            )
            for one in first.items
        ]
        later = first.model_copy(update={"items": tuple(items)})
        plan = decompose(extended, "o2", later, baseline=first, installed=held)
        task = plan.tasks.get("o2/delivery/ship-parcel")
        return task.builds_on if task else ()

    assert parcel("2", hub="outdoor") == ("o.2.1/smart-home/allocate-hub",)
    assert parcel("2", sensors=9) == ()
    assert parcel("1", technology="xgs-pon") == ("o.1.1/fibre-internet/allocate-router",)
    assert parcel("1", up_mbps=20) == ()
