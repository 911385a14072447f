"""A file of records on its way to the server."""

import json
from pathlib import Path
from typing import Any

import pytest

from dreamer_core.remote.errors import LeaseLost, Unreachable
from tests.worker.fakes import TOKEN, FakeServer
from worker.streams import Item, Stream, event_of, record_of


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def records_of(server: FakeServer, path: Path, known: int = 0) -> Stream:
    def send(first: int, items: list[Item]) -> int:
        return server.client.append_metrics("a-run", first, items, lease=TOKEN)

    return Stream(path, record_of, send, known)


def write(path: Path, *steps: int, **more: Any) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps({"env_steps": step, "train_steps": step // 2, **more}) + "\n" for step in steps)


def steps(server: FakeServer) -> list[int]:
    return [record["env_steps"] for record in server.records]


def drain(stream: Stream) -> None:
    while stream.pump():
        pass


def test_what_is_appended_later_is_sent_later(server: FakeServer, path: Path) -> None:
    stream = records_of(server, path)
    stream.begin(0)
    assert not stream.pump()
    write(path, 1, 2)
    drain(stream)
    write(path, 3)
    drain(stream)
    assert steps(server) == [1, 2, 3]
    assert stream.latest["env_steps"] == 3


def test_a_request_whose_answer_was_lost_is_repeated_and_stored_once(server: FakeServer, path: Path) -> None:
    write(path, 1, 2)
    lost = iter([True])

    def send(first: int, items: list[Item]) -> int:
        total = server.client.append_metrics("a-run", first, items, lease=TOKEN)
        if next(lost, False):
            raise Unreachable("the answer was lost")
        return total

    stream = Stream(path, record_of, send, 0)
    stream.begin(0)
    with pytest.raises(Unreachable):
        stream.pump()
    write(path, 3)
    drain(stream)
    assert steps(server) == [1, 2, 3]


def test_a_server_that_knows_less_than_was_thought_is_sent_the_rest_again(server: FakeServer, path: Path) -> None:
    write(path, 1, 2, 3)
    stream = records_of(server, path, known=2)  # but it has none
    stream.begin(3)
    drain(stream)
    assert steps(server) == [1, 2, 3]


def test_it_begins_behind_what_both_have(server: FakeServer, path: Path) -> None:
    write(path, 1, 2, 3)
    server.records = [{"env_steps": 1}, {"env_steps": 2}]
    stream = records_of(server, path, known=5)  # told before the rewind to 2
    stream.begin(2)
    drain(stream)
    assert steps(server) == [1, 2, 3]
    assert server.calls == ["metrics"]


def test_who_wrote_a_record_is_not_sent_and_words_for_numbers_are(server: FakeServer, path: Path) -> None:
    write(path, 1, run_id="a-run", trace_id="f00", **{"Loss/policy_loss": "NaN", "ok": True, "note": ["x"]})
    stream = records_of(server, path)
    stream.begin(0)
    drain(stream)
    assert server.records == [{"env_steps": 1, "train_steps": 0, "Loss/policy_loss": "NaN", "ok": True}]


def test_a_refused_record_keeps_its_place_and_does_not_hold_up_the_others(server: FakeServer, path: Path) -> None:
    write(path, *range(5))
    write(path, 5, evil=1)
    write(path, 6, 7)
    server.refuses = "evil"
    stream = records_of(server, path)
    stream.begin(0)
    drain(stream)
    assert steps(server) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert server.records[5] == {"env_steps": 5}


def test_a_line_that_is_no_record_keeps_its_place(server: FakeServer, path: Path) -> None:
    path.write_bytes(b'not json\n[1]\n{"env_steps": 3}\n')
    stream = records_of(server, path)
    stream.begin(0)
    drain(stream)
    assert server.records == [{"env_steps": 0}, {"env_steps": 0}, {"env_steps": 3}]


def test_a_lost_lease_is_told(server: FakeServer, path: Path) -> None:
    write(path, 1)
    server.is_lost = True
    stream = records_of(server, path)
    stream.begin(0)
    with pytest.raises(LeaseLost):
        stream.pump()


def test_events_are_sent_as_they_are() -> None:
    assert event_of(b'{"kind": "kl_spike", "env_steps": 4, "message": "m", "factor": 3.5}') == {
        "kind": "kl_spike",
        "env_steps": 4,
        "message": "m",
        "factor": 3.5,
    }
    assert event_of(b"torn") == {"kind": "unreadable"}
