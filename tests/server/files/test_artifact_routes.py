"""Artifacts over REST: uploaded whole or not at all, named safely, downloaded by part, and kept once per content."""

import errno
import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from server.app import build_app
from server.files.store import Incoming, Store
from server.house import House
from server.runs.rows import hold_run, touch
from server.tables import RunState
from tests.server.conftest import TOKEN
from tests.server.factories import LEASE, NOW, a_job, a_run, a_running_job

HELLO = hashlib.sha256(b"hello").hexdigest()


def make_run(house: House, **columns: Any) -> str:
    with house.database.writing() as session:
        return a_run(session, **columns).id


@pytest.fixture
def path(house: House) -> str:
    return f"/api/v1/runs/{make_run(house)}/artifacts"


def contents(house: House) -> list[str]:
    folder = Path(house.store.url)
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def names(client: TestClient, path: str, query: str = "") -> list[str]:
    return [item["name"] for item in client.get(path + query).json()["items"]]


def test_a_file_comes_back_as_it_was_sent(client: TestClient, path: str) -> None:
    answer = client.put(f"{path}/eval/a b.json", content=b"hello")
    assert answer.status_code == 201
    found = answer.json()
    del found["created_at"]
    assert found == {
        "name": "eval/a b.json",
        "size": 5,
        "sha256": HELLO,
        "media_type": "application/json",
        "url": f"{path}/eval/a%20b.json",
    }
    back = client.get(found["url"])
    assert (back.status_code, back.content, back.headers["content-length"]) == (200, b"hello", "5")
    assert back.headers["etag"] == f'"{HELLO}"'


def test_an_empty_file_is_a_file(client: TestClient, path: str) -> None:
    assert client.put(f"{path}/empty", content=b"").json()["size"] == 0
    back = client.get(f"{path}/empty")
    assert (back.status_code, back.content) == (200, b"")


def test_files_are_listed_by_name_in_pages_and_by_prefix(client: TestClient, path: str) -> None:
    for name in ("b", "eval/2", "a", "eval/1", "Eval/3"):
        client.put(f"{path}/{name}", content=b"x")
    page = client.get(f"{path}?limit=3").json()
    rest = names(client, path, f"?limit=3&cursor={page['next']}")
    assert sorted([item["name"] for item in page["items"]] + rest) == ["Eval/3", "a", "b", "eval/1", "eval/2"]
    assert names(client, path, "?prefix=eval/") == ["eval/1", "eval/2"]


def test_a_page_may_end_at_the_longest_name(client: TestClient, path: str) -> None:
    for name in ("🦊" * 255, "🦊" * 254 + "🦌"):
        assert client.put(f"{path}/{quote(name)}", content=b"x").status_code == 201
    page = client.get(f"{path}?limit=1").json()
    rest = names(client, path, f"?limit=1&cursor={page['next']}")
    assert {page["items"][0]["name"], *rest} == {"🦊" * 255, "🦊" * 254 + "🦌"}


def test_the_same_content_again_changes_nothing(client: TestClient, house: House, path: str) -> None:
    first = client.put(f"{path}/a", content=b"hello")
    again = client.put(f"{path}/a", content=b"hello")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert contents(house) == [f"{HELLO[:2]}/{HELLO}"]


def test_other_content_replaces_and_the_old_goes(client: TestClient, house: House, path: str) -> None:
    client.put(f"{path}/a", content=b"hello")
    answer = client.put(f"{path}/a", content=b"bye")
    assert (answer.status_code, answer.json()["size"]) == (200, 3)
    assert client.get(f"{path}/a").content == b"bye"
    assert len(contents(house)) == 1


def test_content_stays_until_its_last_name_goes(client: TestClient, house: House, path: str) -> None:
    client.put(f"{path}/a", content=b"hello")
    client.put(f"{path}/b", content=b"hello")
    assert client.delete(f"{path}/a").status_code == 204
    assert client.get(f"{path}/b").content == b"hello"
    assert client.delete(f"{path}/b").status_code == 204
    assert contents(house) == []
    assert client.get(f"{path}/b").status_code == 404
    assert client.delete(f"{path}/b").status_code == 404


@pytest.mark.parametrize("promise", [HELLO, HELLO.upper()])
def test_a_promised_hash_that_is_kept_is_fine(client: TestClient, path: str, promise: str) -> None:
    assert client.put(f"{path}/a", content=b"hello", headers={"X-Sha256": promise}).status_code == 201


def test_bytes_that_are_not_the_promised_ones_are_not_kept(client: TestClient, house: House, path: str) -> None:
    answer = client.put(f"{path}/a", content=b"hellO", headers={"X-Sha256": HELLO})
    assert (answer.status_code, answer.json()["error"]["where"]) == (422, "X-Sha256")
    assert (names(client, path), contents(house)) == ([], [])


@pytest.mark.parametrize(
    "name",
    [
        "%2e%2e/etc/passwd",
        "a/%2e%2e/b",
        "%2Fetc%2Fpasswd",
        "a%00b",
        "a%0Ab",
        "a%5Cb",
        "a//b",
        "a/",
        "%20%2F",
        "x" * 300,
        "%E2%80%A8",
    ],
)
def test_a_nasty_name_is_refused(client: TestClient, house: House, path: str, name: str) -> None:
    for method in ("PUT", "GET", "DELETE"):
        assert client.request(method, f"{path}/{name}").status_code in (404, 422), method
    assert contents(house) == []


@pytest.mark.parametrize("name", ["%FF%FE", "%F0%9F%A6%8A.png", "%27%22%3B--", "~root", "CON", "a%3Fb%23c"])
def test_a_strange_name_is_only_a_name(client: TestClient, path: str, name: str) -> None:
    answer = client.put(f"{path}/{name}", content=b"hello")
    assert answer.status_code == 201
    assert client.get(answer.json()["url"]).content == b"hello"


def test_the_files_of_another_run_are_out_of_reach(client: TestClient, house: House, path: str) -> None:
    client.put(f"{path}/a", content=b"hello")
    other = make_run(house)
    assert client.get(f"/api/v1/runs/{other}/artifacts/a").status_code == 404
    assert client.delete(f"/api/v1/runs/{other}/artifacts/a").status_code == 404
    assert client.get("/api/v1/runs/nothing/artifacts/a").status_code == 404
    assert client.put("/api/v1/runs/nothing/artifacts/a", content=b"x").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "content", "said"),
    [
        ("bytes=0-1", 206, b"he", "bytes 0-1/5"),
        ("bytes=3-", 206, b"lo", "bytes 3-4/5"),
        ("bytes=-2", 206, b"lo", "bytes 3-4/5"),
        ("bytes=1-99", 206, b"ello", "bytes 1-4/5"),
        ("bytes=0-0,2-3", 200, b"hello", None),
        ("lines=1-2", 200, b"hello", None),
    ],
)
def test_a_range_gives_a_part(
    client: TestClient, path: str, asked: str, status: int, content: bytes, said: str | None
) -> None:
    client.put(f"{path}/a", content=b"hello")
    answer = client.get(f"{path}/a", headers={"Range": asked})
    assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (status, content, said)


def test_a_range_behind_the_end_cannot_be_satisfied(client: TestClient, path: str) -> None:
    client.put(f"{path}/a", content=b"hello")
    answer = client.get(f"{path}/a", headers={"Range": "bytes=5-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */5")


def test_a_range_of_nothing_cannot_be_satisfied(client: TestClient, path: str) -> None:
    client.put(f"{path}/empty", content=b"")
    answer = client.get(f"{path}/empty", headers={"Range": "bytes=0-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */0")
    assert answer.json()["error"]["code"] == "range_not_satisfiable"


@pytest.mark.parametrize("promise", ["", "0" * 63, "g" * 64, HELLO + " 0"])
def test_a_promise_that_is_no_hash_is_refused(client: TestClient, house: House, path: str, promise: str) -> None:
    answer = client.put(f"{path}/a", content=b"hello", headers={"X-Sha256": promise})
    assert (answer.status_code, contents(house)) == (422, [])


@pytest.mark.parametrize("query", ["cursor=x", "cursor=WzFd", "limit=0", "limit=201", "prefix=a%00b"])
def test_a_page_that_cannot_be_is_refused(client: TestClient, path: str, query: str) -> None:
    assert client.get(f"{path}?{query}").status_code == 422


def test_a_range_of_an_older_content_gives_the_new_whole(client: TestClient, path: str) -> None:
    client.put(f"{path}/a", content=b"hello")
    same = client.get(f"{path}/a", headers={"Range": "bytes=0-1", "If-Range": f'"{HELLO}"'})
    older = client.get(f"{path}/a", headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert (same.status_code, older.status_code, older.content) == (206, 200, b"hello")


@pytest.mark.parametrize(
    ("said", "status"), [(f'"{HELLO}"', 304), (f'"x", W/"{HELLO}"', 304), ("*", 304), ('"x"', 200)]
)
def test_who_has_the_content_is_told_so(client: TestClient, path: str, said: str, status: int) -> None:
    client.put(f"{path}/a", content=b"hello")
    answer = client.get(f"{path}/a", headers={"If-None-Match": said})
    assert (answer.status_code, answer.content) == (status, b"" if status == 304 else b"hello")


def test_what_could_carry_a_script_is_saved_and_never_run(client: TestClient, path: str) -> None:
    for name, kind in (("a.html", "attachment"), ("a.svg", "attachment"), ("a.png", "inline")):
        client.put(f"{path}/{name}", content=b"<script>")
        headers = client.get(f"{path}/{name}").headers
        assert headers["content-disposition"].startswith(kind)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("sandbox;")


def test_only_the_lease_uploads_while_a_job_runs_and_everybody_once_it_is_over(
    client: TestClient, house: House
) -> None:
    with house.database.writing() as session:
        queued, running = a_job(session).id, a_running_job(session).id
        over = a_running_job(session, state=RunState.FAILED).id
    with_lease = {"X-Dreamgate-Lease": LEASE}
    assert client.put(f"/api/v1/runs/{queued}/artifacts/a", content=b"x").status_code == 409
    assert client.put(f"/api/v1/runs/{running}/artifacts/a", content=b"x").status_code == 409
    assert client.put(f"/api/v1/runs/{running}/artifacts/a", content=b"x", headers=with_lease).status_code == 201
    assert client.put(f"/api/v1/runs/{over}/artifacts/a", content=b"x").status_code == 201


def test_an_upload_that_begins_while_its_run_changes_waits_for_that(client: TestClient, house: House) -> None:
    run_id, is_held = make_run(house), threading.Event()

    def change() -> None:
        with house.database.writing() as session:
            touch(session, hold_run(session, run_id), NOW, env_steps=5)
            session.flush()
            is_held.set()
            time.sleep(0.3)

    changing = threading.Thread(target=change)
    changing.start()
    is_held.wait()
    answer = client.put(f"/api/v1/runs/{run_id}/artifacts/a", content=b"hello")
    changing.join()
    assert answer.status_code == 201


def test_a_lease_lost_during_the_upload_keeps_nothing(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_running_job(session)

    def body() -> Iterator[bytes]:
        yield b"hel"
        with house.database.writing() as session:
            from server.tables import Job

            session.get_one(Job, run.id).lease_token = "another"
        yield b"lo"

    answer = client.put(f"/api/v1/runs/{run.id}/artifacts/a", content=body(), headers={"X-Dreamgate-Lease": LEASE})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "lease_lost")
    assert contents(house) == []


def test_uploads_of_one_name_at_once_leave_one_of_them(client: TestClient, house: House, path: str) -> None:
    bodies = [b"%d" % number * 100_000 for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda body: client.put(f"{path}/a", content=body), bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    content = client.get(f"{path}/a").content
    assert content in bodies
    sha256 = hashlib.sha256(content).hexdigest()
    assert contents(house) == [f"{sha256[:2]}/{sha256}"]


def test_content_that_is_dropped_and_sent_at_the_same_time_is_never_missing(
    client: TestClient, house: House, path: str
) -> None:
    def replace_and_read(number: int) -> bytes:
        client.put(f"{path}/a", content=b"hello" if number % 2 else b"%d" % number)
        client.put(f"{path}/b{number}", content=b"hello")
        content = client.get(f"{path}/b{number}").content
        client.delete(f"{path}/b{number}")
        return content

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(replace_and_read, range(30))) == {b"hello"}
    client.delete(f"{path}/a")
    assert contents(house) == []


def test_content_that_was_lost_from_the_store_is_said(client: TestClient, house: House, path: str) -> None:
    client.put(f"{path}/a", content=b"hello")
    house.store.remove(HELLO)
    answer = client.get(f"{path}/a")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert client.put(f"{path}/a", content=b"hello").status_code == 200
    assert client.get(f"{path}/a").content == b"hello"


class FullStore(Store):
    def begin(self) -> Any:
        incoming = super().begin()
        file: BinaryIO = incoming._file
        file.write = _no_room  # type: ignore[method-assign]
        return incoming


def _no_room(data: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


class FarStore(Store):
    """Giving a content its place takes a while, as copying does in a bucket."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_moving, self.may_go_on = threading.Event(), threading.Event()

    def begin(self) -> Incoming:
        incoming = super().begin()
        keep = incoming.keep

        def slow() -> None:
            self.is_moving.set()
            self.may_go_on.wait(30)
            keep()

        incoming.keep = slow  # type: ignore[method-assign]
        return incoming


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)  # SQLite has one writer
def test_a_store_that_is_slow_does_not_keep_the_run_from_its_worker(house: House) -> None:
    far = FarStore(house.store.url)
    with house.database.writing() as session:
        run_id = a_running_job(session).id
    lease = {"X-Dreamgate-Lease": LEASE}
    app = build_app(replace(house, store=far))
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client, ThreadPoolExecutor() as threads:
        upload = threads.submit(client.put, f"/api/v1/runs/{run_id}/artifacts/a", content=b"hello", headers=lease)
        far.is_moving.wait(30)
        beat = threads.submit(client.post, f"/api/v1/jobs/{run_id}/heartbeat", json={}, headers=lease)
        try:
            assert beat.result(timeout=5).status_code == 200
        finally:
            far.may_go_on.set()
        assert upload.result().status_code == 201


def test_a_full_disk_is_507_and_keeps_nothing(house: House, path: str) -> None:
    full = replace(house, store=FullStore(house.store.url))
    with TestClient(build_app(full), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        answer = client.put(f"{path}/a", content=b"hello")
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "no_space")
        assert "Free some space" in answer.json()["error"]["todo"]
        assert names(client, path) == []
    assert contents(house) == []


def test_a_place_that_does_not_work_is_503(house: House, path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    broken = replace(house, store=Store(str(tmp_path / "file")))
    with TestClient(build_app(broken), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        answer = client.put(f"{path}/a", content=b"hello")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_artifacts_may_lie_wherever_fsspec_reaches(house: House, path: str, tmp_path: Path, scheme: str) -> None:
    away = replace(house, store=Store(f"{scheme}://{tmp_path}/away"))
    with TestClient(build_app(away), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert client.put(f"{path}/a", content=b"x" * 3_000_000).status_code == 201
        assert client.get(f"{path}/a", headers={"Range": "bytes=-2"}).content == b"xx"
        assert len(client.get(f"{path}/a").content) == 3_000_000
        assert client.delete(f"{path}/a").status_code == 204
        assert away.store.open(hashlib.sha256(b"x" * 3_000_000).hexdigest()) is None
