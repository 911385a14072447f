"""The log of a job, as bytes that go on where earlier attempts ended."""

from pathlib import Path

from tests.worker.fakes import TOKEN, FakeServer
from worker.job_log import PIECE, JobLog


def log_of(server: FakeServer, folder: Path, start: int = 0) -> JobLog:
    client = server.client
    return JobLog(folder / "log.txt", lambda at, data: client.append_log("a-run", at, data, lease=TOKEN), start)


def drain(job_log: JobLog) -> None:
    while job_log.pump():
        pass


def test_lines_go_behind_what_earlier_attempts_said(tmp_path: Path) -> None:
    server = FakeServer()
    server.log = b"first attempt\n"
    job_log = log_of(server, tmp_path, start=14)
    job_log.write("second attempt")
    drain(job_log)
    assert server.log == b"first attempt\nsecond attempt\n"


def test_a_long_log_goes_in_pieces(tmp_path: Path) -> None:
    server = FakeServer()
    job_log = log_of(server, tmp_path)
    (tmp_path / "log.txt").write_bytes(b"y" * (PIECE + 5))
    drain(job_log)
    assert len(server.log) == PIECE + 5
    assert server.calls == ["log", "log"]


def test_where_the_server_lost_the_end_of_its_log_what_comes_now_moves_up(tmp_path: Path) -> None:
    server = FakeServer()
    server.log = b"kept\n"
    job_log = log_of(server, tmp_path, start=99)
    job_log.write("new")
    drain(job_log)
    assert server.log == b"kept\nnew\n"


def test_the_last_words_are_those_since_the_mark(tmp_path: Path) -> None:
    job_log = log_of(FakeServer(), tmp_path)
    job_log.write("of an earlier child")
    job_log.mark()
    for number in range(5):
        job_log.write(f"line {number}")
    assert job_log.last_lines(2) == "line 3\nline 4"
    assert "earlier" not in job_log.last_lines(100)


def test_a_log_that_cannot_be_written_costs_no_job(tmp_path: Path) -> None:
    job_log = log_of(FakeServer(), tmp_path)
    (tmp_path / "log.txt").unlink()
    (tmp_path / "log.txt").mkdir()
    job_log.write("lost, and nobody fails of it")


def test_what_the_server_lost_of_this_attempt_goes_again(tmp_path: Path) -> None:
    server = FakeServer()
    server.log = b"first attempt\n"
    job_log = log_of(server, tmp_path, start=len(server.log))
    job_log.write("one")
    job_log.write("two")
    drain(job_log)
    server.log = server.log[:-4]  # a power cut
    job_log.write("three")
    drain(job_log)
    assert server.log == b"first attempt\none\ntwo\nthree\n"


def test_a_log_that_somebody_removed_holds_nobody_up(tmp_path: Path) -> None:
    server = FakeServer()
    job_log = log_of(server, tmp_path)
    (tmp_path / "log.txt").unlink()
    assert not job_log.pump()
    job_log.write("it is there again")
    drain(job_log)
    assert server.log == b"it is there again\n"
