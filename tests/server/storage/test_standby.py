"""A database that can be read and not written, as a standby can after the one that it stands for has failed."""

from collections.abc import Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from server.house import House

pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@pytest.fixture
def standby(house: House) -> Iterator[House]:
    url = house.database.url.replace("+psycopg", "")
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        try:
            house.database.close()  # its connections; new ones are as they are told now
            yield house
        finally:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())


@pytest.mark.usefixtures("standby")
def test_it_answers_who_reads_and_tells_who_writes_to_try_again(client: TestClient) -> None:
    assert client.get("/api/v1/runs").status_code == 200
    answer = client.post("/api/v1/experiments", json={"name": "one"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
