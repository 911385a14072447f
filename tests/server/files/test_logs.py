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


def test_who_reads_on_from_the_end_gets_all_that_comes_and_nothing_twice(client: TestClient, house: House) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    client.post(f"{path}?offset=0", content=b"one\ntwo\n")
    answer, said = client.get(f"{path}?tail=1"), "two\n"
    for offset, piece in ((8, b"three\n"), (8, b"three\nfour"), (18, b"\n"), (19, b"")):
        client.post(f"{path}?offset={offset}", content=piece)
        answer = client.get(f"{path}?start={answer.headers['x-log-end']}")
        said += answer.text
    assert said == "two\nthree\nfour\n"
    assert (answer.text, answer.headers["x-log-start"], answer.headers["x-log-end"]) == ("", "19", "19")


@pytest.mark.parametrize("length", [1, 2, 3])
def test_parts_that_are_shorter_than_a_character_still_get_on(client: TestClient, house: House, length: int) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    data = "a€🦊b\n".encode()
    client.post(f"{path}?offset=0", content=data)
    said, start = "", 0
    for _ in range(len(data)):
        answer = client.get(f"{path}?start={start}&length={length}")
        said, start = said + answer.text, int(answer.headers["x-log-end"])
    assert (said, start) == ("a€🦊b\n", len(data))


def test_a_start_behind_the_end_is_the_end(client: TestClient, house: House) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    client.post(f"{path}?offset=0", content=b"12345")
    answer = client.get(f"{path}?start=9")
    assert (answer.text, answer.headers["x-log-start"], answer.headers["x-log-end"]) == ("", "5", "5")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("tail=0", 422),
        ("tail=10001", 422),
        ("start=-1", 422),
        ("start=9007199254740993", 422),
        ("start=0&length=0", 422),
        ("start=0&length=1048577", 422),
        ("start=9007199254740992", 200),
        ("tail=10000", 200),
    ],
)
def test_the_bounds_of_what_may_be_asked(client: TestClient, house: House, query: str, status: int) -> None:
    assert client.get(f"/api/v1/runs/{make_run(house.database)}/log?{query}").status_code == status


def test_a_long_log_is_sent_whole_in_pieces_by_range(client: TestClient, house: House) -> None:
    run_id = make_run(house.database)
    data = b"".join(b"%07d\n" % number for number in range(320_000))  # 2.5 MB
    for start in range(0, len(data), 2**20):
        append(house.database, run_id, start, data[start : start + 2**20])
    answer = client.get(f"/api/v1/runs/{run_id}/log", headers={"Range": "bytes=8-"})
    assert (answer.status_code, answer.content) == (206, data[8:])
    assert answer.headers["content-range"] == "bytes 8-2559999/2560000"


@pytest.mark.parametrize("offset", ["-1", "9007199254740993", "x", ""])
def test_an_offset_that_is_none_is_refused(client: TestClient, house: House, offset: str) -> None:
    path = f"/api/v1/runs/{make_run(house.database)}/log"
    assert client.post(f"{path}?offset={offset}", content=b"x").status_code == 422
    assert client.post(path, content=b"x").status_code == 422


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
