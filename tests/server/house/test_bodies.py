"""No request brings more than the server means to hold in memory, but for files, which go through it."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from server import bodies, faults

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    faults.install(app)
    app.add_middleware(bodies.Limit, most=100)

    @app.post("/json")
    def json(body: dict[str, str]) -> int:
        return len(body["text"])

    @app.post("/form")
    async def form(request: Request) -> int:
        return len(await bodies.read(request, 20, what="A form", todo="Send less."))

    @app.put("/runs/1/artifacts/model.pt")
    async def upload(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    return TestClient(app)


def pieces(size: int) -> Iterator[bytes]:
    """Without a Content-Length."""
    yield b'{"text": "'
    for _ in range(size // 10):
        yield b"0123456789"
    yield b'"}'


def test_a_small_body_is_read(client: TestClient) -> None:
    assert client.post("/json", json={"text": "small"}).json() == 5
    assert client.post("/json", content=pieces(50), headers=JSON).json() == 50


def test_a_body_that_says_that_it_is_too_long_is_not_read(client: TestClient) -> None:
    answer = client.post("/json", json={"text": "x" * 101})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert answer.json()["error"]["message"] == "A request may have 100 bytes."


def test_a_body_that_does_not_say_its_length_is_read_up_to_the_limit(client: TestClient) -> None:
    answer = client.post("/json", content=pieces(1000), headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_reader_may_have_a_smaller_limit_and_its_own_words(client: TestClient) -> None:
    answer = client.post("/form", content=b"x" * 21)
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "A form may have 20 bytes."
    assert client.post("/form", content=b"x" * 20).json() == 20


def test_a_file_may_be_longer(client: TestClient) -> None:
    assert client.put("/runs/1/artifacts/model.pt", content=b"x" * 1000).json() == 1000
