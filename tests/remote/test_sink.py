"""The sink: whatever happens to the server, the loop goes on, and nothing is lost or doubled."""

import logging
import threading
import time
from collections.abc import Callable

import httpx2
import numpy as np
import pytest

from dreamer_core.remote import ServerSink, Undelivered
from tests.remote.fakes import RecordStore, client_of, refusal

QUICK = 0.02


def sink_of(store: RecordStore, *, every_s: float = QUICK, batch: int = 100, in_memory: int = 1000) -> ServerSink:
    return ServerSink(client_of(store, patience_s=0.1), "run", every_s=every_s, batch=batch, in_memory=in_memory)


def write_steps(sink: ServerSink, first: int, count: int) -> None:
    for step in range(first, first + count):
        sink.write({"env_steps": step})


def steps(store: RecordStore) -> list[int]:
    return [record["env_steps"] for record in store.records]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_everything_that_was_written_is_there_after_the_block() -> None:
    store = RecordStore()
    with sink_of(store) as sink:
        write_steps(sink, 0, 1234)
    assert steps(store) == list(range(1234))


def test_a_few_records_go_after_a_moment_and_not_at_the_end_only() -> None:
    store = RecordStore()
    with sink_of(store) as sink:
        write_steps(sink, 0, 3)
        wait_until(lambda: len(store.records) == 3)


def test_many_records_go_together() -> None:
    store = RecordStore()
    with sink_of(store, every_s=60, batch=500) as sink:
        write_steps(sink, 0, 1000)
    assert sorted(store.batches) == [500, 500]


def test_a_server_that_is_away_costs_neither_records_nor_time() -> None:
    store = RecordStore()
    store.is_away = True
    sink = sink_of(store, in_memory=50)
    started = time.monotonic()
    write_steps(sink, 0, 3000)
    assert time.monotonic() - started < 1
    store.is_away = False
    sink.close()
    assert steps(store) == list(range(3000))


def test_an_answer_that_is_lost_doubles_nothing() -> None:
    store = RecordStore()
    store.loses_answers = 3
    with sink_of(store) as sink:
        write_steps(sink, 0, 500)
    assert steps(store) == list(range(500))


def test_a_run_that_has_records_already_goes_on_behind_them() -> None:
    store = RecordStore(known=5)
    with sink_of(store) as sink:
        write_steps(sink, 5, 3)
    assert steps(store) == list(range(8))


def test_closing_says_how_many_records_are_missing_and_why_and_can_be_tried_again() -> None:
    store = RecordStore()
    store.is_away = True
    sink = sink_of(store)
    write_steps(sink, 0, 7)
    with pytest.raises(Undelivered, match=r"7 records of run run did not reach http://server.test: .*refused"):
        sink.close(timeout_s=0.3)
    store.is_away = False
    sink.close()
    assert steps(store) == list(range(7))


def test_a_server_that_says_no_is_told_at_once() -> None:
    answers = client_of(lambda _: refusal(404, "not_found", "There is no run 'run'."))
    sink = ServerSink(answers, "run", every_s=QUICK)
    sink.write({"env_steps": 1})
    started = time.monotonic()
    with pytest.raises(Undelivered, match=r"1 records of run run.*There is no run 'run'"):
        sink.close(timeout_s=20)
    assert time.monotonic() - started < 3


def test_one_record_that_the_server_refuses_does_not_hold_up_the_others() -> None:
    store = RecordStore()
    sink = sink_of(store)
    for step in range(300):
        sink.write({"env_steps": step, "bad": step == 123})
    with pytest.raises(Undelivered, match=r"^1 records"):
        sink.close()
    assert steps(store) == [step for step in range(300) if step != 123]


def test_batches_that_are_too_large_are_made_smaller() -> None:
    store = RecordStore()
    store.most = 10
    with sink_of(store) as sink:
        write_steps(sink, 0, 200)
    assert steps(store) == list(range(200))
    assert max(store.batches) <= 10


def test_the_loop_is_never_disturbed_by_what_it_writes(caplog: pytest.LogCaptureFixture) -> None:
    store = RecordStore()
    sink = sink_of(store)
    sink.write({"env_steps": 1, "loss": "text"})
    sink.write({"loss": 1.0})
    sink.write({"env_steps": "three"})
    sink.write(None)  # type: ignore[arg-type]
    with pytest.raises(Undelivered, match=r"^3 records"):
        sink.close()
    assert store.records == [{"env_steps": 1}]
    assert "metric 'loss' is left out" in caplog.text
    assert "a record needs env_steps" in caplog.text


def test_numbers_of_numpy_and_torch_are_numbers() -> None:
    torch = pytest.importorskip("torch")
    store = RecordStore()
    with sink_of(store) as sink:
        sink.write(
            {
                "env_steps": np.int64(3),
                "numpy": np.float32(0.5),
                "torch": torch.tensor([0.25]),
                "flag": np.bool_(True),
                "nan": float("nan"),
                "inf": "Infinity",
                "missing": None,
            }
        )
    sent = {"env_steps": 3, "numpy": 0.5, "torch": 0.25, "flag": True, "nan": "NaN", "inf": "Infinity"}
    assert store.records == [sent]


def test_a_record_may_be_used_again_by_its_owner() -> None:
    store = RecordStore()
    record = {"env_steps": 0}
    with sink_of(store, every_s=60) as sink:
        for step in range(5):
            record["env_steps"] = step
            sink.write(record)
    assert steps(store) == [0, 1, 2, 3, 4]


def test_the_error_of_the_loop_is_the_one_that_is_seen(caplog: pytest.LogCaptureFixture) -> None:
    sink = ServerSink(client_of(lambda _: refusal(404, "not_found", "There is no run.")), "run", every_s=QUICK)
    sink.write({"env_steps": 1})
    with pytest.raises(ZeroDivisionError), sink:
        raise ZeroDivisionError
    assert "1 records of run run" in caplog.text


def test_what_is_written_after_the_end_is_told(caplog: pytest.LogCaptureFixture) -> None:
    sink = sink_of(RecordStore())
    sink.close()
    with caplog.at_level(logging.WARNING):
        sink.write({"env_steps": 1})
    assert "written after the sink was closed" in caplog.text


def test_a_server_that_lost_what_it_had_taken_is_told_and_gets_the_rest() -> None:
    store = RecordStore()
    sink = sink_of(store)
    write_steps(sink, 0, 10)
    wait_until(lambda: len(store.records) == 10)
    del store.records[6:]  # a power cut
    write_steps(sink, 10, 5)
    with pytest.raises(Undelivered, match="the server lost 4 records that it had taken"):
        sink.close()
    assert steps(store) == [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14]


def test_two_writers_of_one_run_are_told() -> None:
    store = RecordStore()
    sink = sink_of(store)
    write_steps(sink, 0, 10)
    wait_until(lambda: len(store.records) == 10)
    store.records += [{"env_steps": 99}] * 5
    write_steps(sink, 10, 3)
    with pytest.raises(Undelivered, match="somebody else writes to this run too"):
        sink.close()


def test_writing_waits_for_nobody() -> None:
    store, answers = RecordStore(), threading.Event()

    def slow(request: httpx2.Request) -> httpx2.Response:
        answers.wait(10)
        return store(request)

    sink = ServerSink(client_of(slow), "run", every_s=QUICK)
    record = {"env_steps": 1, **{f"key {number}": 0.5 for number in range(20)}}
    worst = 0.0
    for _ in range(5000):
        started = time.perf_counter()
        sink.write(record)
        worst = max(worst, time.perf_counter() - started)
    assert worst < 0.5
    answers.set()
    sink.close()
