"""The API as a page to read, and commands that can be typed as they are shown."""

import pytest
from starlette.testclient import TestClient

from server.house import House
from tests.server.factories import a_job
from tests.server.pages.faces import open_page


def test_every_address_stands_there_with_what_it_does(client: TestClient) -> None:
    page = open_page(client, "/api")
    described = client.get("/api/v1/openapi.json").json()["paths"]
    for path in described:
        assert f'<td class="code">{path}</td>' in page, path
    assert "Put a job into a queue, one for each seed" in page


def test_every_page_links_to_it(client: TestClient) -> None:
    assert '<a class="small soft" href="/api"' in open_page(client, "/runs")


def test_a_command_begins_as_the_program_is_called_and_names_another_server(
    client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house.database.writing() as session:
        run = a_job(session)
    monkeypatch.setenv("DREAMGATE_PROGRAM", "./dreamgate")
    base = str(client.base_url)
    assert f"./dreamgate wait {run.id} --server {base}<" in open_page(client, f"/runs/{run.id}")
    monkeypatch.setenv("DREAMGATE_SERVER", base)
    assert f"./dreamgate wait {run.id}<" in open_page(client, f"/runs/{run.id}")
