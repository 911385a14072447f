"""Who may come in, and what a browser cannot be made to do against its owner."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient

from server import access, faults
from server.database import Database
from server.files.store import Store
from server.house import House
from server.queue import NoBroker
from server.settings import Settings

TOKEN = "the-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HERE = "http://127.0.0.1:8420"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environ = {"DREAMGATE_DATA": str(tmp_path), "DREAMGATE_TOKEN": TOKEN, "DREAMGATE_LOGIN_CODE": "once"}
    return Settings.read(environ)


@pytest.fixture
def browser(settings: Settings, clock: Clock) -> Iterator[TestClient]:
    with open_browser(settings, clock) as client:
        yield client


def open_browser(settings: Settings, clock: Clock) -> TestClient:
    database = Database("sqlite://")
    house = House(
        settings=settings, database=database, store=Store(settings.artifacts_url), wake_ups=NoBroker(), clock=clock
    )
    app = FastAPI()
    app.state.house = house
    faults.install(app)
    access.install(app, house)
    for path in ("/", "/runs", "/health", "/api/v1/runs", "/static/page.css", "/login"):
        app.add_api_route(path, lambda: PlainTextResponse("here you are"), methods=["GET", "POST"])
    return TestClient(app, base_url=HERE, follow_redirects=False)


def log_in(browser: TestClient) -> None:
    assert browser.get("/login?code=once").headers["location"] == "/"


def test_a_program_comes_in_with_the_token(browser: TestClient) -> None:
    assert browser.get("/api/v1/runs", headers=BEARER).text == "here you are"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Bearer", "Basic dTpw", "Bearer thé", ""])
def test_the_api_refuses_everybody_else_in_its_one_shape(browser: TestClient, header: str) -> None:
    answer = browser.get("/api/v1/runs", headers={b"Authorization": header.encode()})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


@pytest.mark.parametrize("path", ["/health", "/static/page.css", "/login"])
def test_some_doors_are_open(browser: TestClient, path: str) -> None:
    assert browser.get(path).status_code == 200


def test_a_page_leads_to_the_form_and_back(browser: TestClient) -> None:
    asked = browser.get("/runs?q=a b&limit=5")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=/runs%3Fq%3Da%2520b%26limit%3D5"
    entered = browser.post(asked.headers["location"], data={"token": TOKEN}, headers={"Origin": HERE})
    assert entered.headers["location"] == "/runs?q=a%20b&limit=5"
    assert browser.get("/runs").status_code == 200


def test_a_part_of_a_page_takes_the_whole_page_to_the_form(browser: TestClient) -> None:
    asked = browser.get("/runs", headers={"HX-Request": "true", "HX-Current-URL": f"{HERE}/runs?q=x"})
    assert asked.status_code == 401
    assert asked.headers["hx-redirect"] == "/login?next=/runs%3Fq%3Dx"


def test_a_wrong_token_in_the_form_leads_back_to_it(browser: TestClient) -> None:
    answer = browser.post("/login?next=/runs", data={"token": "wrong"}, headers={"Origin": HERE})
    assert answer.headers["location"] == "/login?next=/runs&problem=token"
    assert "set-cookie" not in answer.headers


def test_a_form_without_end_is_not_read(browser: TestClient) -> None:
    answer = browser.post("/login", content=b"token=" + b"x" * 10_000, headers={"Origin": HERE})
    assert answer.status_code == 413


def test_the_login_link_works_once(browser: TestClient) -> None:
    log_in(browser)
    browser.cookies.clear()
    assert browser.get("/login?code=once").headers["location"] == "/login?next=/&problem=code"


def test_the_login_link_stays_used_when_the_server_starts_again(settings: Settings, clock: Clock) -> None:
    log_in(open_browser(settings, clock))
    assert "problem=code" in open_browser(settings, clock).get("/login?code=once").headers["location"]


def test_a_new_login_link_works_after_an_old_one(settings: Settings, clock: Clock) -> None:
    log_in(open_browser(settings, clock))
    later = open_browser(replace(settings, login_code="twice"), clock)
    assert later.get("/login?code=twice&next=/runs").headers["location"] == "/runs"


def test_opening_the_link_again_in_the_same_browser_just_goes_on(browser: TestClient) -> None:
    log_in(browser)
    log_in(browser)


def test_looking_ahead_does_not_use_the_link_up(browser: TestClient) -> None:
    browser.head("/login?code=once")
    log_in(browser)


@pytest.mark.parametrize("code", ["", "wrong", "öncé"])
def test_another_code_opens_nothing(browser: TestClient, code: str) -> None:
    answer = browser.get("/login", params={"code": code})
    assert "problem=code" in answer.headers["location"]
    assert "set-cookie" not in answer.headers


def test_without_a_code_set_no_code_is_good(settings: Settings, clock: Clock) -> None:
    browser = open_browser(replace(settings, login_code=None), clock)
    assert "problem=code" in browser.get("/login?code=").headers["location"]


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\r\nSet-Cookie:x", "javascript:alert(1)"],
)
def test_a_login_link_never_leads_to_another_site(browser: TestClient, target: str) -> None:
    assert browser.get("/login", params={"code": "once", "next": target}).headers["location"] == "/"


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(browser: TestClient) -> None:
    cookie = browser.get("/login?code=once").headers["set-cookie"].lower()
    assert cookie.startswith("dreamgate_8420=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_behind_https_the_cookie_is_secure(settings: Settings, clock: Clock) -> None:
    browser = open_browser(settings, clock)
    answer = browser.get("https://127.0.0.1:8420/login?code=once")
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_session_ends_after_thirty_days(browser: TestClient, clock: Clock) -> None:
    log_in(browser)
    clock.now += 30 * 86400 - 1
    assert browser.get("/runs").status_code == 200
    clock.now += 2
    assert browser.get("/runs").status_code == 303


@pytest.mark.parametrize("change", ["{}x", "x{}", "9{}", ".", "", "a.b.c", "é"])
def test_a_session_that_was_changed_is_none(browser: TestClient, change: str) -> None:
    log_in(browser)
    session = browser.cookies["dreamgate_8420"]
    browser.cookies.clear()
    answer = browser.get("/runs", headers={b"Cookie": f"dreamgate_8420={change.format(session)}".encode()})
    assert answer.status_code == 303


def test_changing_the_token_ends_sessions(settings: Settings, clock: Clock) -> None:
    old = open_browser(settings, clock)
    log_in(old)
    new = open_browser(replace(settings, token="another-token"), clock)
    new.cookies = old.cookies
    assert new.get("/runs").status_code == 303


def test_other_cookies_of_the_host_do_no_harm(browser: TestClient) -> None:
    log_in(browser)
    session = browser.cookies["dreamgate_8420"]
    browser.cookies.clear()
    answer = browser.get("/runs", headers={"Cookie": f'we"ird[]={{"a": 1}}; dreamgate_8420={session}; x'})
    assert answer.status_code == 200


def test_leaving_closes_the_session(browser: TestClient) -> None:
    log_in(browser)
    assert browser.post("/logout", headers={"Origin": HERE}).headers["location"] == "/login"
    assert browser.get("/runs").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": HERE}, id="origin"),
        pytest.param({"Origin": HERE, "Sec-Fetch-Site": "same-origin"}, id="origin-and-sec-fetch"),
        pytest.param({"Referer": f"{HERE}/runs"}, id="referer"),
        pytest.param({"HX-Request": "true"}, id="htmx"),
    ],
)
def test_our_own_pages_may_write(browser: TestClient, headers: dict[str, str]) -> None:
    log_in(browser)
    assert browser.post("/api/v1/runs", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="says-nothing"),
        pytest.param({"Origin": "http://evil.example"}, id="origin"),
        pytest.param({"Origin": "http://127.0.0.1:9999"}, id="another-port"),
        pytest.param({"Origin": "null"}, id="null"),
        pytest.param({"Origin": "http://["}, id="broken"),
        pytest.param({"Referer": "http://evil.example/127.0.0.1:8420"}, id="referer"),
        pytest.param({"Origin": HERE, "Sec-Fetch-Site": "cross-site"}, id="sec-fetch"),
        pytest.param({"HX-Request": "true", "Sec-Fetch-Site": "same-site"}, id="htmx-of-a-neighbour"),
        pytest.param({"HX-Request": "true", "Origin": "http://evil.example"}, id="htmx-of-another"),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/runs", "/runs", "/logout"])
def test_other_sites_may_not(browser: TestClient, headers: dict[str, str], path: str) -> None:
    log_in(browser)
    answer = browser.post(path, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"


def test_a_program_needs_no_origin(browser: TestClient) -> None:
    assert browser.post("/api/v1/runs", headers=BEARER).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost", "LOCALHOST:1", "[::1]:8420"])
def test_a_local_server_answers_to_its_own_names(browser: TestClient, host: str) -> None:
    assert browser.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "evil.example:8420"])
def test_a_local_server_answers_to_no_other_name(browser: TestClient, host: str) -> None:
    answer = browser.get("/health", headers={"Host": host})
    assert answer.status_code == 400
    assert "DREAMGATE_TRUSTED_HOSTS" in answer.json()["error"]["todo"]


def test_a_name_can_be_added_also_with_all_that_end_in_it(settings: Settings, clock: Clock) -> None:
    browser = open_browser(replace(settings, trusted_hosts=("gate.example", "*.lab.example")), clock)
    assert browser.get("/health", headers={"Host": "gate.example"}).status_code == 200
    assert browser.get("/health", headers={"Host": "a.lab.example"}).status_code == 200
    assert browser.get("/health", headers={"Host": "lab.example.org"}).status_code == 400


def test_a_refusal_too_tells_the_browser_to_be_careful(browser: TestClient) -> None:
    for path in ("/runs", "/health", "/api/v1/runs"):
        headers = browser.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_token_is_made_once_and_only_its_owner_reads_it(settings: Settings, clock: Clock) -> None:
    generated = replace(settings, token=None)
    wrong = {"Authorization": "Bearer guessed"}
    assert open_browser(generated, clock).get("/api/v1/runs", headers=wrong).status_code == 401
    token = generated.data / "token"
    assert token.stat().st_mode & 0o777 == 0o600
    bearer = {"Authorization": f"Bearer {token.read_text().strip()}"}
    assert open_browser(generated, clock).get("/api/v1/runs", headers=bearer).status_code == 200


def test_the_description_of_the_api_says_how_to_come_in(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert described["security"] == [{"token": []}]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert described["paths"]["/health"]["get"]["security"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_real_pages_keep_to_the_policy(client: TestClient) -> None:
    page = client.get("/login?problem=code", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert re.findall(r"<script(?! [^>]*src=)|style=|\son[a-z]+=", page.text) == []
