"""What is open of a customer who is forgotten: it is told, stays workable, and is forgotten when it is over."""

from __future__ import annotations

from contextlib import closing
from io import StringIO
from pathlib import Path

from rich.console import Console

from ops.maintenance.forgotten_customers import run_forget
from orders.model.values import Verb
from orders.read_model.work_state import WorkState
from register import Register
from register.work_items.asked import Asked
from register.work_items.item import item_id
from settings import Settings
from tests.given.registers import NOON, fallen, over, told

SERVICE = "O1.1.1/building/permit/0"
ID = item_id(SERVICE)


def forgotten(settings: Settings) -> str:
    text = StringIO()
    run_forget(settings, "C1", Console(file=text))
    return text.getvalue()


def test_what_is_open_is_told_and_is_forgotten_when_it_is_over(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    given = {"order_id": "O1", "service": SERVICE, "number": 0, "silo": "office", "operation": "permit"}
    asked = {**given, "title": "Permit", "inputs": {}, "form": {}, "instructions": "At Erika's"}
    with closing(Register(settings.register_address)) as register:
        register.prepare()
        register.records.record(told(1, fallen()))
        register.records.record(told(1, fallen("O2-f1"), order_id="O2", customer_id="C2"))
        register.work_items.ask(Verb.PROVISION, Asked.model_validate(asked), NOON)
        assert forgotten(settings).splitlines()[1:] == [
            "Calls that still wait, without what was said about them: 1.",
            "Work items that are open, and keep what they say: 1. Forget again when they are over.",
        ]
        assert register.fallout.claim("O1-f1", "Ada", NOON)
        item = register.work_items.find(ID)
        assert item is not None
        assert item.instructions == "At Erika's"
        register.work_items.hands.claim(ID, "Ada", NOON)
        assert register.work_items.end(item, WorkState.DONE, "Ada", NOON, note="Erika was there")
        register.records.record(told(2, over(fallen())))
        assert forgotten(settings) == "Orders that are found by their ids alone now: 1.\n"
        item = register.work_items.find(ID)
        assert item is not None
        assert (item.state, item.instructions) == (WorkState.DONE, "")
        assert not any(entry.note for entry in register.work_items.story(ID))
