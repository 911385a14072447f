"""What a trainer may send, and the sentence it gets for what it may not."""

import json
import math
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidError
from server.metrics.parse import MAX_KEYS, MAX_RECORDS, Sent, parse
from server.metrics.read import as_records


def parsed(**body: Any) -> Sent:
    return parse(json.dumps(body).encode())


def records_of(sent: Sent) -> list[dict[str, float | int]]:
    return as_records(sent.batch, dict(enumerate(sent.names)))


def test_records_with_equal_keys_are_read() -> None:
    records = [{"env_steps": 8, "loss": 0.5, "lr": 1}, {"env_steps": 16, "loss": 0.25, "lr": 2}]
    assert records_of(parsed(offset=3, records=records)) == records


def test_records_with_different_keys_are_read() -> None:
    records = [{"env_steps": 8, "loss": 0.5}, {"env_steps": 16, "train_steps": 2, "wall_time_s": 0.5, "eval": 3.0}]
    assert records_of(parsed(offset=0, records=records)) == records


def test_columns_mean_the_same_as_records() -> None:
    sent = parsed(offset=0, columns={"env_steps": [8, 16], "train_steps": [None, 2], "loss": [0.5, None]})
    assert records_of(sent) == [{"env_steps": 8, "loss": 0.5}, {"env_steps": 16, "train_steps": 2}]


def test_null_means_missing() -> None:
    assert records_of(parsed(offset=0, records=[{"env_steps": 1, "loss": None}])) == [{"env_steps": 1}]


def test_true_and_false_are_one_and_zero() -> None:
    sent = parsed(offset=0, records=[{"env_steps": 1, "solved": True}, {"env_steps": 2, "solved": False}])
    assert sent.batch.values.tolist() == [1, 2, 1, 0]


def test_three_words_are_numbers() -> None:
    words = ["NaN", "Infinity", "-Infinity"]
    values = parsed(offset=0, columns={"env_steps": [1, 2, 3], "loss": words}).batch.values[3:]
    assert np.array_equal(values, [math.nan, math.inf, -math.inf], equal_nan=True)


def test_nothing_is_a_batch_too() -> None:
    assert parsed(offset=7, records=[]).batch.records == 0
    assert parsed(offset=7, columns={}).batch.records == 0


@pytest.mark.parametrize(
    ("body", "where", "part"),
    [
        pytest.param(b"", "body", "not JSON", id="empty"),
        pytest.param(b"\xff\xfe{", "body", "not JSON", id="no-text"),
        pytest.param(b"[" * 100_000, "body", "not JSON", id="bottomless"),
        pytest.param(b"[]", "body", "object", id="a-list"),
        pytest.param(b'{"offset": 0, "records": [{"env_steps": 1, "a": NaN}]}', "body", '"NaN"', id="bare-nan"),
        pytest.param(b'{"offset": 0, "records": [{"env_steps": 1, "a": 1' + b"0" * 5000 + b"}]}", "body", "not JSON",
                     id="five-thousand-digits"),
        pytest.param(b'{"records": []}', "offset", "whole number", id="no-offset"),
        pytest.param(b'{"offset": true, "records": []}', "offset", "whole number", id="true-offset"),
        pytest.param(b'{"offset": -1, "records": []}', "offset", "whole number", id="negative-offset"),
        pytest.param(b'{"offset": 0}', "body", "records or columns", id="neither"),
        pytest.param(b'{"offset": 0, "records": [], "columns": {}}', "body", "records or columns", id="both"),
        pytest.param(b'{"offset": 0, "records": {}}', "records", "list", id="records-not-a-list"),
        pytest.param(b'{"offset": 0, "records": [{"env_steps": 1}, 5]}', "records.1", "object", id="not-a-record"),
        pytest.param(b'{"offset": 0, "columns": []}', "columns", "lists", id="columns-not-an-object"),
        pytest.param(b'{"offset": 0, "columns": {"env_steps": [1], "a": []}}', "columns.a", "0 values", id="uneven"),
        pytest.param(b'{"offset": 0, "columns": {"a": [1]}}', "columns.a", "1 values", id="no-steps-column"),
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused(body: bytes, where: str, part: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse(body)
    assert refused.value.where == where
    assert part in refused.value.message


@pytest.mark.parametrize(
    ("record", "where"),
    [
        pytest.param({"loss": 1}, "env_steps", id="no-steps"),
        pytest.param({"env_steps": None}, "env_steps", id="null-steps"),
        pytest.param({"env_steps": -1}, "env_steps", id="negative-steps"),
        pytest.param({"env_steps": 1.5}, "env_steps", id="half-a-step"),
        pytest.param({"env_steps": True}, "env_steps", id="true-steps"),
        pytest.param({"env_steps": "5"}, "env_steps", id="steps-as-text"),
        pytest.param({"env_steps": 2**53 + 2}, "env_steps", id="too-many-steps"),
        pytest.param({"env_steps": 10**400}, "env_steps", id="far-too-many-steps"),
        pytest.param({"env_steps": 1, "train_steps": -1}, "train_steps", id="negative-updates"),
        pytest.param({"env_steps": 1, "wall_time_s": -0.5}, "wall_time_s", id="negative-time"),
        pytest.param({"env_steps": 1, "wall_time_s": "NaN"}, "wall_time_s", id="no-time"),
        pytest.param({"env_steps": 1, "loss": "high"}, "loss", id="another-word"),
        pytest.param({"env_steps": 1, "loss": [1]}, "loss", id="a-list"),
        pytest.param({"env_steps": 1, "loss": {}}, "loss", id="an-object"),
        pytest.param({"env_steps": 1, "loss": 10**400}, "loss", id="an-enormous-whole-number"),
    ],
)
@pytest.mark.parametrize(
    "before", [{"env_steps": 0}, {"env_steps": 0, "loss": 1.0, "train_steps": 0, "wall_time_s": 0}]
)
def test_a_wrong_value_is_named_with_its_record(before: dict[str, Any], record: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parsed(offset=50, records=[before, before, record])
    assert refused.value.where == f"records.2.{where}"
    assert "ecord 2" in refused.value.message


def test_a_number_that_no_float_can_hold_is_refused() -> None:
    with pytest.raises(InvalidError, match="say Infinity"):
        parse(b'{"offset": 0, "records": [{"env_steps": 1, "loss": 1e999}]}')


@pytest.mark.parametrize("key", ["", "k" * 201, "a\nb", "a\u0000b", "\ud800", "a\u202eb"])
def test_a_key_that_cannot_be_shown_is_refused(key: str) -> None:
    with pytest.raises(InvalidError, match="printable"):
        parsed(offset=0, records=[{"env_steps": 1, key: 1}])


def test_the_longest_key_is_taken() -> None:
    assert parsed(offset=0, records=[{"env_steps": 1, "k" * 200: 1}]).names == ["env_steps", "k" * 200]


def test_too_many_keys_are_refused() -> None:
    with pytest.raises(InvalidError, match="2,000 keys"):
        parsed(offset=0, records=[{"env_steps": 1, **{f"k{n}": 1 for n in range(MAX_KEYS)}}])


@pytest.mark.parametrize("form", ["records", "columns"])
def test_too_many_records_are_refused(form: str) -> None:
    count = MAX_RECORDS + 1
    body = {"records": [{"env_steps": 1}] * count, "columns": {"env_steps": [1] * count}}
    with pytest.raises(InvalidError, match="20,000"):
        parsed(offset=0, **{form: body[form]})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=10,
)
nearly = st.fixed_dictionaries({"offset": st.integers(0, 9)}, optional={"records": json_values, "columns": json_values})


@given(json_values | nearly)
def test_whatever_is_sent_is_read_or_refused(body: Any) -> None:
    with suppress(InvalidError):
        assert len(parse(json.dumps(body).encode()).batch.axes) == 3
