"""Files of records: strict, appended line by line, whole again after a crash, and cut back on resume."""

import json
import math
import resource
from datetime import datetime
from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from dreamer_core.metrics.sink import EventLog, JsonlSink, Record, read_records


def record(env_steps: int, **values: float | str) -> Record:
    return {"env_steps": env_steps, "train_steps": env_steps // 4, "wall_time_s": 0.5, **values}


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "run" / "metrics.jsonl")
    written = [record(100, loss=0.1, run_id="läuft"), record(200, sps=1 / 3)]
    for each in written:
        sink.write(each)
    assert read_records(sink.path) == written
    assert sink.path.read_bytes().count(b"\n") == 2


def test_a_disk_that_takes_half_a_record_gets_none_of_it_and_the_error_names_the_file(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "metrics.jsonl")
    sink.write(record(100))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (sink.offset() + 20, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            sink.write(record(200))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(sink.path)
    sink.write(record(300))
    assert read_records(sink.path) == [record(100), record(300)]


def test_nan_infinity_and_missing_can_be_told_apart(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "metrics.jsonl")
    sink.write(record(100, **{"Loss/value_loss": math.nan, "Grads/actor": math.inf, "adv_mean": -math.inf}))
    line = sink.path.read_text()
    raw = json.loads(line, parse_constant=refuse)
    assert (raw["Loss/value_loss"], raw["Grads/actor"], raw["adv_mean"]) == ("NaN", "Infinity", "-Infinity")
    assert "Rewards/rew_avg" not in line
    (found,) = read_records(sink.path)
    loss = found["Loss/value_loss"]
    assert isinstance(loss, float)
    assert math.isnan(loss)
    assert (found["Grads/actor"], found["adv_mean"]) == (math.inf, -math.inf)


@pytest.mark.parametrize("key", ["env_steps", "train_steps", "wall_time_s"])
def test_a_record_without_its_place_in_time_is_refused(tmp_path: Path, key: str) -> None:
    sink = JsonlSink(tmp_path / "metrics.jsonl")
    incomplete = {name: value for name, value in record(100).items() if name != key}
    with pytest.raises(ValueError, match=f"this one has no {key}"):
        sink.write(incomplete)
    assert sink.offset() == 0


@pytest.mark.parametrize("torn", ['{"env_steps": 200, "tr', '{"env_steps": 20', "{", "\x00\x00"])
def test_a_torn_last_line_is_skipped_by_readers_and_removed_by_the_next_writer(tmp_path: Path, torn: str) -> None:
    sink = JsonlSink(tmp_path / "metrics.jsonl")
    sink.write(record(100))
    whole = sink.path.read_bytes()
    sink.path.write_bytes(whole + torn.encode())
    assert read_records(sink.path) == [record(100)]
    again = JsonlSink(sink.path)
    assert sink.path.read_bytes() == whole
    again.write(record(200))
    assert read_records(sink.path) == [record(100), record(200)]


def test_a_record_that_lacks_only_its_line_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(record(100)))
    assert read_records(path) == [record(100)]
    JsonlSink(path).write(record(200))
    assert read_records(path) == [record(100), record(200)]


def test_a_file_that_holds_only_a_torn_line_becomes_empty(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"env_')
    assert read_records(path) == []
    assert JsonlSink(path).offset() == 0


def test_damage_in_the_middle_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"env_steps": 1}\n{"env_st\n{"env_steps": 3}\n')
    with pytest.raises(UsageError, match=r"metrics\.jsonl is damaged: line 2 is not a JSON object"):
        read_records(path)


def test_records_after_a_checkpoint_are_dropped_on_resume(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "metrics.jsonl")
    sink.write(record(100))
    offset = sink.offset()
    sink.write(record(200))
    sink.write(record(300))
    resumed = JsonlSink(sink.path)
    resumed.truncate(offset)
    assert resumed.offset() == offset
    resumed.write(record(150))
    assert read_records(sink.path) == [record(100), record(150)]
    resumed.truncate(0)
    assert read_records(sink.path) == []


@pytest.mark.parametrize("wrong", [-1, +1, +1000])
def test_an_offset_that_ends_no_record_is_refused_and_changes_nothing(tmp_path: Path, wrong: int) -> None:
    sink = JsonlSink(tmp_path / "metrics.jsonl")
    sink.write(record(100))
    offset = sink.offset()
    sink.write(record(200))
    with pytest.raises(UsageError, match=f"no record that ends at byte {offset + wrong}"):
        sink.truncate(offset + wrong)
    assert read_records(sink.path) == [record(100), record(200)]


def test_events_say_what_happened_when(tmp_path: Path) -> None:
    events = EventLog(tmp_path / "events.jsonl")
    events.write("kl_spike", env_steps=500, train_steps=120, message="KL is 90", kl=90.0)
    (found,) = read_records(events.path)
    at = found.pop("at")
    assert found == {"kind": "kl_spike", "env_steps": 500, "train_steps": 120, "message": "KL is 90", "kl": 90.0}
    assert datetime.fromisoformat(str(at)).tzinfo is not None
