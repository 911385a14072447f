"""Exports: exact in every format, and NaN, infinite and missing told apart in each."""

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from dreamer_core.metrics.jsonsafe import loads_numbers
from server.database import Database
from server.errors import ConflictError
from server.metrics import export
from server.metrics.rewind import rewind
from tests.server.factories import a_run
from tests.server.metrics.sending import send

RECORDS: list[dict[str, float]] = [
    {"env_steps": 1, "train_steps": 1, "wall_time_s": 0.1, "loss": 0.1 + 0.2, "a, key": 1.0},
    {"env_steps": 2, "loss": math.nan},
    {"env_steps": 3, "wall_time_s": 0.3, "loss": math.inf},
    {"env_steps": 4, "train_steps": 4, "loss": -math.inf},
    {"env_steps": 2**53},
]


@pytest.fixture
def run_id(database: Database) -> str:
    with database.writing() as session:
        run_id = a_run(session).id
        send(session, run_id, 0, RECORDS)
    return run_id


def exported(client: TestClient, run_id: str, form: str, **asked: Any) -> bytes:
    answer = client.get(f"/api/v1/runs/{run_id}/export", params={"format": form, **asked})
    assert answer.status_code == 200
    return answer.content


def columns_of(table: Any) -> dict[str, list[Any]]:
    return {name: table.column(name).to_pylist() for name in table.column_names}


def test_json_is_lines_as_in_a_run_folder(client: TestClient, run_id: str) -> None:
    lines = exported(client, run_id, "json").splitlines()
    assert json.loads(lines[1]) == {"env_steps": 2, "loss": "NaN"}
    assert [str(loads_numbers(line)) for line in lines] == [str(record) for record in RECORDS]


def test_csv_says_nothing_for_what_is_missing(client: TestClient, run_id: str) -> None:
    rows = list(csv.reader(io.StringIO(exported(client, run_id, "csv").decode())))
    assert rows == [
        ["env_steps", "train_steps", "wall_time_s", "a, key", "loss"],
        ["1", "1", "0.1", "1.0", "0.30000000000000004"],
        ["2", "", "", "", "NaN"],
        ["3", "", "0.3", "", "Infinity"],
        ["4", "4", "", "", "-Infinity"],
        ["9007199254740992", "", "", "", ""],
    ]


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_columns_have_null_for_what_is_missing(client: TestClient, run_id: str, form: str) -> None:
    body = io.BytesIO(exported(client, run_id, form))
    table = pq.read_table(body) if form == "parquet" else pa.ipc.open_stream(body).read_all()
    columns = columns_of(table)
    assert columns["env_steps"] == [1, 2, 3, 4, 2**53]
    assert columns["train_steps"] == [1, None, None, 4, None]
    assert columns["a, key"] == [1.0, None, None, None, None]
    assert str(columns["loss"]) == str([0.1 + 0.2, math.nan, math.inf, -math.inf, None])


@pytest.mark.parametrize("form", ["json", "csv", "arrow", "parquet"])
def test_a_run_without_records_can_be_exported(client: TestClient, database: Database, form: str) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
    body = exported(client, run_id, form)
    if form == "json":
        assert body == b""
    if form == "csv":
        assert body == b"env_steps,train_steps,wall_time_s\n"
    if form == "arrow":
        assert pa.ipc.open_stream(body).read_all().num_rows == 0


def test_only_some_keys_can_be_exported(client: TestClient, run_id: str) -> None:
    header, *_ = exported(client, run_id, "csv", keys="loss,none").splitlines()
    assert header == b"env_steps,train_steps,wall_time_s,loss"


def test_a_long_run_is_exported_whole_and_in_parts(client: TestClient, database: Database) -> None:
    values = np.random.default_rng(0).normal(size=45_000).tolist()
    with database.writing() as session:
        run_id = a_run(session).id
        for first in range(0, 45_000, 15_000):
            part = [
                {"env_steps": first + place, "loss": value}
                for place, value in enumerate(values[first : first + 15_000])
            ]
            send(session, run_id, first, part)
    table = pq.read_table(io.BytesIO(exported(client, run_id, "parquet")))
    assert table.column("env_steps").to_pylist() == list(range(45_000))
    assert table.column("loss").to_pylist() == values
    lines = exported(client, run_id, "json").splitlines()
    assert [json.loads(line)["loss"] for line in lines] == values


def test_a_run_that_takes_records_back_cannot_be_exported_half_old_half_new(database: Database, run_id: str) -> None:
    with database.reading() as session:
        whole = export.begin(session, run_id, None)
    with database.writing() as session:
        rewind(session, run_id, 2)
    with pytest.raises(ConflictError, match="took records back"):
        list(export.blocks(database, whole))


def test_a_server_without_pyarrow_says_so(client: TestClient, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.metrics.export_arrow.find_spec", lambda name: None)
    answer = client.get(f"/api/v1/runs/{run_id}/export", params={"format": "parquet"})
    assert answer.status_code == 422
    assert "pyarrow" in answer.json()["error"]["message"]
