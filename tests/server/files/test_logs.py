"""Logs: bytes that are kept once however they are sent, and read from the end, by part, or by range."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select
from starlette.testclient import TestClient

from server.database import Database
from server.files import logs
from server.house import House
from server.tables import LogChunk
from tests.server.factories import LEASE, a_run, a_running_job


def make_run(database: Database) -> str:
    with database.writing() as session:
        return a_run(session).id


def append(database: Database, run_id: str, offset: int, data: bytes) -> int:
    with database.writing() as session:
        return logs.append(session, run_id, offset, data)


def whole(database: Database, run_id: str) -> bytes:
    with database.reading() as session:
        return logs.read(session, run_id, 0, 2**30)


def tail(database: Database, run_id: str, lines: int) -> bytes:
    with database.reading() as session:
        return logs.read(session, run_id, logs.tail_start(session, run_id, lines), 2**30)


def test_bytes_sent_twice_or_overlapping_are_kept_once(database: Database) -> None:
    run_id = make_run(database)
    assert append(database, run_id, 0, b"one\ntwo\n") == 8
    assert append(database, run_id, 0, b"one\ntwo\n") == 8
    assert append(database, run_id, 4, b"two\nthree\n") == 14
    assert whole(database, run_id) == b"one\ntwo\nthree\n"


def test_a_line_at_a_time_makes_few_rows(database: Database) -> None:
    run_id = make_run(database)
    for number in range(50):
        append(database, run_id, number * 1000, bytes([number]) * 1000)
    with database.reading() as session:
        chunks = session.exec(select(LogChunk.start, LogChunk.length)).all()
    assert sorted(chunks) == [(0, 32_000), (32_000, 18_000)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(1, b"ccc"), (2, b"bb\nccc"), (3, b"a\nbb\nccc"), (99, b"a\nbb\nccc")],
)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_tail_counts_lines(database: Database, lines: int, expected: bytes, end: bytes) -> None:
    run_id = make_run(database)
    append(database, run_id, 0, b"a\nbb\nccc" + end)
    assert tail(database, run_id, lines) == expected + end


def test_an_empty_log_has_an_empty_tail(database: Database) -> None:
    assert tail(database, make_run(database), 5) == b""


def test_a_tail_may_reach_over_many_pieces(database: Database) -> None:
    run_id = make_run(database)
    data = b"".join(b"%d %s\n" % (number, b"x" * 997) for number in range(1000))
    append(database, run_id, 0, data)
    assert tail(database, run_id, 600) == b"".join(data.splitlines(keepends=True)[-600:])


def test_lines_without_end_are_cut(database: Database) -> None:
    run_id = make_run(database)
    for number in range(6):
        append(database, run_id, number * 2**20, b"x" * 2**20)
    assert 4 * 2**20 <= len(tail(database, run_id, 1)) < 5 * 2**20


def test_any_part_of_any_pieces_is_as_of_one_whole(database: Database) -> None:
    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.binary(max_size=60_000), max_size=6), st.integers(0, 200_000), st.integers(1, 90_000))
    def check(pieces: list[bytes], start: int, length: int) -> None:
        run_id, size = make_run(database), 0
        for piece in pieces:
            size = append(database, run_id, size, piece)
        with database.reading() as session:
            assert logs.size_of(session, run_id) == size
            assert logs.read(session, run_id, start, length) == b"".join(pieces)[start : start + length]

    check()


def test_a_log_is_sent_and_read_over_rest(client: TestClient, house: House) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    assert client.post(f"{path}?offset=0", content=b"one\ntwo\n").json() == {"bytes": 8}
    answer = client.get(f"{path}?tail=1")
    assert answer.text == "two\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert (answer.headers["x-log-start"], answer.headers["x-log-size"], answer.headers["x-log-end"]) == ("4", "8", "8")


def test_a_gap_says_where_to_go_on(client: TestClient, house: House) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    client.post(f"{path}?offset=0", content=b"12345")
    answer = client.post(f"{path}?offset=9", content=b"x")
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["expected"]) == (409, "gap", 5)


def test_bad_bytes_are_replaced_and_a_character_is_never_cut(client: TestClient, house: House) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    client.post(f"{path}?offset=0", content=b"a\xffb\xe2\x82\xac!\xe2\x82")
    first = client.get(f"{path}?start=0&length=5")
    rest = client.get(f"{path}?start={first.headers['x-log-end']}")
    assert (first.text, first.headers["x-log-end"]) == ("a\ufffdb", "3")
    assert rest.text == "€!\ufffd"


def test_a_range_gives_the_bytes_as_they_are(client: TestClient, house: House) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    client.post(f"{path}?offset=0", content=b"a\xffbcdef")
    part = client.get(path, headers={"Range": "bytes=1-2"})
    beyond = client.get(path, headers={"Range": "bytes=7-"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"\xffb", "bytes 1-2/7")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */7")
    assert beyond.json()["error"]["code"] == "range_not_satisfiable"


def test_tail_and_part_at_once_is_refused(client: TestClient, house: House) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    assert client.get(f"{path}?tail=1&start=0").status_code == 422


def test_too_much_at_once_is_refused_before_it_is_taken(client: TestClient, house: House) -> None:
    run_id = make_run(house.database)
    answer = client.post(f"/api/v1/runs/{run_id}/log?offset=0", content=b"x" * (2**20 + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert whole(house.database, run_id) == b""


def test_only_the_worker_with_the_lease_writes_the_log(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        path = f"/api/v1/runs/{a_running_job(session).id}/log?offset=0"
    assert client.post(path, content=b"x").status_code == 409
    assert client.post(path, content=b"x", headers={"X-Dreamgate-Lease": LEASE}).status_code == 200


def test_the_log_of_no_run_is_not_found(client: TestClient) -> None:
    assert client.get("/api/v1/runs/nothing/log").status_code == 404
    assert client.post("/api/v1/runs/nothing/log?offset=0", content=b"x").status_code == 404
