"""Uploads through a real server, where connections break in the middle and paths arrive as they were written."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from server.files import artifacts
from server.house import House
from tests.server.conftest import TOKEN
from tests.server.factories import a_run
from tests.server.live.serving import served, wait_until


@pytest.fixture
def run_id(house: House) -> str:
    with house.database.writing() as session:
        return a_run(session).id


def files_of(house: House) -> list[Path]:
    return [path for path in Path(house.store.url).rglob("*") if path.is_file()]


def request(address: str, method: str, path: str, length: int) -> bytes:
    host = urlsplit(address).netloc
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {TOKEN}",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize("sent", [0, 100, 3_000_000])
def test_an_upload_that_breaks_off_keeps_nothing(
    house: House, run_id: str, sent: int, caplog: pytest.LogCaptureFixture
) -> None:
    with served(house) as site:
        parts = urlsplit(site.address)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            path = f"/api/v1/runs/{run_id}/artifacts/a"
            connection.sendall(request(site.address, "PUT", path, 9_000_000) + b"x" * sent)
            wait_until(lambda: len(files_of(house)) == 1)  # it is being written
        wait_until(lambda: files_of(house) == [])
    with house.database.reading() as session:
        assert artifacts.listed(session, run_id, "", "", 10) == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("written", "status", "name"),
    [
        ("../../etc/passwd", 422, None),
        ("%2e%2e/x", 422, None),
        ("%252e%252e/x", 201, "%2e%2e/x"),
        ("a%5c..%5cb", 422, None),
        ("a%2fb", 201, "a/b"),
        ("a%3Fb%23c", 201, "a?b#c"),
        ("%C3%BC", 201, "ü"),
    ],
)
def test_a_path_is_decoded_once(house: House, run_id: str, written: str, status: int, name: str | None) -> None:
    with served(house) as site:
        parts = urlsplit(site.address)
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            path = f"/api/v1/runs/{run_id}/artifacts/{written}"
            connection.sendall(request(site.address, "PUT", path, 5) + b"hello")
            answer = connection.recv(65_536)
    assert int(answer.split()[1]) == status
    with house.database.reading() as session:
        assert [found.name for found in artifacts.listed(session, run_id, "", "", 10)] == ([name] if name else [])


def test_a_large_file_goes_through_in_pieces(house: House, run_id: str) -> None:
    content = b"0123456789abcdef" * (2**20)  # 16 MiB
    with served(house) as site:
        url = f"{site.address}/api/v1/runs/{run_id}/artifacts/large"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx2.put(url, content=content, headers=headers, trust_env=False).status_code == 201
        assert httpx2.get(url, headers=headers, trust_env=False).content == content
        part = httpx2.get(url, headers=headers | {"Range": "bytes=5000000-5000015"}, trust_env=False)
    assert (part.status_code, part.content) == (206, content[5_000_000:5_000_016])
