"""What goes wrong is a page to a browser, and JSON to everybody else."""

import pytest
from starlette.testclient import TestClient

from server.app import build_app
from server.house import House
from tests.server.conftest import TOKEN
from tests.server.pages.faces import BROWSER, HTMX, PROGRAM, check_html


def test_a_browser_gets_a_page(client: TestClient) -> None:
    answer = client.get("/nowhere", headers=BROWSER)
    assert answer.status_code == 404
    check_html(answer.text)
    assert "All runs" in answer.text


@pytest.mark.parametrize("headers", [PROGRAM, HTMX, {}])
def test_everybody_else_gets_json(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/nowhere", headers=headers).json()["error"]["code"] == "not_found"


def test_the_api_answers_json_even_to_a_browser(client: TestClient) -> None:
    assert client.get("/api/v1/runs/nobody", headers=BROWSER).json()["error"]["code"] == "not_found"


def test_our_own_mistakes_are_a_page_without_their_details(house: House) -> None:
    app = build_app(house)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the password is swordfish")

    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}, raise_server_exceptions=False) as client:
        answer = client.get("/broken", headers=BROWSER)
    assert answer.status_code == 500
    assert "did not foresee" in answer.text
    assert "swordfish" not in answer.text


def test_the_login_form_says_what_went_wrong(client: TestClient) -> None:
    answer = client.get("/login?problem=token&next=/runs?q=a", headers=BROWSER)
    check_html(answer.text)
    assert "That is not the token of this server." in answer.text
    assert 'name="next" value="/runs?q=a"' in answer.text
