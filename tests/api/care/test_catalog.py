"""How an offering is fulfilled, by the catalog in force."""

from __future__ import annotations

from api.access.principal import Scope
from tests.api.conftest import Door, ShutDoor


async def test_the_plan_of_an_offering_is_told_task_by_task(door: Door) -> None:
    response = await door.http.get("/care/v1/offerings/mobile-s/plan")
    assert response.status_code == 200, response.text
    told = response.json()
    assert (told["offering"], len(told["catalog"])) == ("mobile-s", 16)
    tasks = {task["task"]: task for task in told["tasks"]}
    contract = tasks["mobile/sign-contract"]
    assert (contract["silo"], contract["after"], contract["usually"]) == ("crm", ["customer/open-account"], "PT10S")
    assert (contract["serves"], contract["awaits"], contract["outside"]) == ("product", "silo", [])
    assert tasks["mobile/allocate-sim"]["when"] == {"sim_type": "physical"}


async def test_an_offering_that_there_is_not_has_no_plan(door: Door) -> None:
    response = await door.http.get("/care/v1/offerings/no-such-offering/plan")
    assert (response.status_code, response.json()["code"]) == (404, "not_in_catalog")


async def test_plans_are_told_to_those_who_look_at_orders(shut_door: ShutDoor) -> None:
    path = "/care/v1/offerings/mobile-s/plan"
    assert (await shut_door.http.get(path)).status_code == 401
    assert (await shut_door.http.get(path, headers=shut_door.as_channel("web"))).status_code == 403
    assert (await shut_door.http.get(path, headers=shut_door.as_(Scope.LOOK))).status_code == 200
