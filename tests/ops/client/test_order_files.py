from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from ops.client.order_files import read_orders

ORDER = {"externalId": "A-1", "productOrderItem": []}


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_json_file_holds_one_order_over_any_number_of_lines(tmp_path: Path) -> None:
    file = written(tmp_path, "order.json", json.dumps(ORDER, indent=2))
    (order,) = read_orders([file])
    assert (order.place, order.body, order.problem) == (file, ORDER, "")


def test_a_json_file_may_hold_a_list_of_orders(tmp_path: Path) -> None:
    file = written(tmp_path, "orders.json", json.dumps([ORDER, ORDER]))
    assert [(order.place, order.body) for order in read_orders([file])] == [(f"{file}#1", ORDER), (f"{file}#2", ORDER)]


@pytest.mark.parametrize("name", ["orders.ndjson", "orders.jsonl", "orders.json", "orders"])
def test_an_ndjson_file_holds_an_order_a_line_whatever_its_name(tmp_path: Path, name: str) -> None:
    line = json.dumps(ORDER)
    file = written(tmp_path, name, f"{line}\n\n{line}\n")
    assert [(order.place, order.body) for order in read_orders([file])] == [(f"{file}:1", ORDER), (f"{file}:3", ORDER)]


def test_one_bad_line_spoils_no_other(tmp_path: Path) -> None:
    file = written(tmp_path, "orders.ndjson", f'{json.dumps(ORDER)}\n{{"externalId": \n[1]\n{json.dumps(ORDER)}\n')
    first, second, third, fourth = read_orders([file])
    assert first.body == fourth.body == ORDER
    assert (second.place, second.problem) == (f"{file}:2", "is not JSON: Expecting value at column 16")
    assert (third.place, third.problem) == (f"{file}:3", "is not an order: an order is a JSON object")


def test_what_is_wrong_with_a_json_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, "order.json", '{\n  "externalId": "A-1",\n  "channel": [}\n}\n')
    (order,) = read_orders([file])
    assert (order.place, order.problem) == (f"{file}:3", "is not JSON: Expecting value at column 15")


def test_a_file_that_can_not_be_read_is_told_and_the_next_one_is_read(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.json")
    latin = tmp_path / "latin.json"
    latin.write_bytes('{"externalId": "ä"}'.encode("latin-1"))
    good = written(tmp_path, "order.json", json.dumps(ORDER))
    orders = list(read_orders([missing, str(latin), good]))
    assert orders[0].problem == "cannot be read: No such file or directory"
    assert orders[1].problem.startswith("is not UTF-8")
    assert orders[2].body == ORDER


def test_an_ndjson_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    latin = tmp_path / "latin.ndjson"
    latin.write_bytes('{"externalId": "ä"}\n'.encode("latin-1"))
    (order,) = read_orders([str(latin)])
    assert order.problem.startswith("is not UTF-8")


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{json.dumps(ORDER)}\nnonsense\n"))
    first, second = read_orders(["-"])
    assert (first.place, first.body) == ("standard input:1", ORDER)
    assert second.place == "standard input:2"


def test_an_empty_file_is_told_and_no_order(tmp_path: Path) -> None:
    (order,) = read_orders([written(tmp_path, "empty.json", "")])
    assert order.problem.startswith("is not JSON")
