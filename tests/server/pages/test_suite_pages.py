"""Suites: the matrix, a suite's page, running one now, and a run of one while it goes on."""

from typing import Any

from sqlalchemy import event
from starlette.testclient import TestClient

from server.house import House
from server.ids import new_id
from server.tables import Suite, SuiteRun, SuiteState
from tests.server.factories import NOW
from tests.server.fakes import SetClock
from tests.server.gates.scored import KEY
from tests.server.pages.faces import BROWSER, PROGRAM, get_part, open_page
from tests.server.suites.running import FLOOR, SCENARIO, apply, end, look, start

FIRST, SECOND = "1a2b3c4d5e6f", "2b3c4d5e6f70"


def many(house: House, suites: int, commits: int) -> None:
    """A finished run of every suite on every commit."""
    with house.database.writing() as session:
        for number in range(suites):
            name = f"suite-{number:02}"
            session.add(Suite(name=name, version=1, created_at=NOW, source="", body={"name": name, "scenarios": []}))
            for place in range(commits):
                session.add(a_suite_run(name, f"{place:08x}", NOW + place))


def a_suite_run(suite: str, commit: str | None, at: float, **columns: Any) -> SuiteRun:
    given = {"state": SuiteState.FINISHED, "verdict": "pass", "branch": "main", **columns}
    return SuiteRun(
        id=new_id(), suite=suite, suite_version=1, commit=commit, trigger="ci", created_at=at, body={}, **given
    )


def test_without_a_suite_the_matrix_says_what_one_is(client: TestClient) -> None:
    assert "No suite yet" in open_page(client, "/suites")


def test_a_cell_is_the_newest_run_of_a_suite_on_a_commit(client: TestClient, house: House, clock: SetClock) -> None:
    apply(client)
    old = start(client, commit=FIRST)
    end(house, old, [480, 490])
    clock.advance(60)
    new = start(client, commit=FIRST)
    end(house, new, [480, 100])
    page = open_page(client, "/suites")
    assert f"/suite-runs/{new['id']}" in page
    assert f"/suite-runs/{old['id']}" not in page
    assert "fail</a>" in page


def test_the_newest_commit_stands_first_and_a_suite_that_never_ran_has_a_row(
    client: TestClient, clock: SetClock
) -> None:
    apply(client)
    apply(client, "weekly")
    start(client, commit=FIRST)
    clock.advance(60)
    start(client, commit=SECOND)
    clock.advance(60)
    start(client)
    page = open_page(client, "/suites")
    assert page.index("installed") < page.index(SECOND[:8]) < page.index(FIRST[:8])
    assert 'href="/suites/weekly"' in page
    assert "running</a>" in page


def test_the_matrix_is_filtered_by_branch(client: TestClient) -> None:
    apply(client)
    start(client, commit=FIRST, branch="main")
    start(client, commit=SECOND, branch="faster-replay")
    part = get_part(client, "/suites?branch=faster-replay")
    assert SECOND[:8] in part
    assert FIRST[:8] not in part


def test_a_matrix_of_any_size_takes_the_same_few_queries(client: TestClient, house: House) -> None:
    many(house, suites=12, commits=12)
    asked: list[str] = []
    event.listen(house.database.engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    page = open_page(client, "/suites")
    assert page.count('data-verdict="pass"') == 144
    assert len([each for each in asked if each.startswith("SELECT")]) <= 3


def test_a_suite_says_its_question_its_gates_and_when_it_runs_next(client: TestClient) -> None:
    unused = {"name": "forgotten", "checks": [{"check": "finite"}]}
    asks: dict[str, Any] = {"question": "Does it still learn?", "schedule": "0 3 * * *", "gates": [FLOOR, unused]}
    assert apply(client, **asks).status_code == 200
    page = open_page(client, "/suites/daily")
    for text in ("Does it still learn?", "0 3 * * *", "03:00:00 UTC", "/gates/floor", "Run 2 jobs"):
        assert text in page, text
    assert "Nobody looks at" in page
    assert "forgotten" in page


def test_the_history_of_a_suite_shows_its_verdicts_and_its_numbers(
    client: TestClient, house: House, clock: SetClock
) -> None:
    apply(client)
    for score in (490, 480, 100):
        run = start(client, commit=FIRST)
        end(house, run, [score, score])
        clock.advance(60)
    page = open_page(client, "/suites/daily")
    assert page.count("/suite-runs/") == 6  # in the strip and in the table
    assert "green</span> 2" in page
    assert "3 runs, from 490 to 100" in page
    assert KEY in page


def test_running_now_leads_to_the_run(client: TestClient) -> None:
    apply(client)
    page = client.post("/suites/daily/runs", data={"commit": FIRST, "branch": "main", "who": "ada"}, headers=BROWSER)
    assert page.status_code == 200
    assert page.url.path.startswith("/suite-runs/")
    for text in (FIRST[:10], "main", 'its page <span class="soft">by</span> ada', "0 <span"):
        assert text in page.text, text


def test_what_is_no_commit_is_told_under_its_field(client: TestClient) -> None:
    apply(client)
    refused = client.post("/suites/daily/runs", data={"commit": "newest"}, headers=BROWSER)
    assert refused.status_code == 422
    assert "7 to 40 hexadecimal digits" in refused.text
    assert 'value="newest"' in refused.text
    assert client.get("/api/v1/suite-runs").json()["items"] == []


def test_a_run_shows_its_jobs_and_asks_again_until_it_is_over(client: TestClient, house: House) -> None:
    apply(client)
    run = start(client, commit=FIRST)
    part = get_part(client, f"/suite-runs/{run['id']}")
    assert "waits for 2 of 2 jobs" in part
    assert 'hx-trigger="every 10s, changed"' in part
    assert f"POST /api/v1/suite-runs/{run['id']}/cancel" in part
    end(house, run, [480, 100])
    part = get_part(client, f"/suite-runs/{run['id']}")
    assert "hx-trigger" not in part
    assert "/cancel" not in part
    [scenario] = look(client, run)["scenarios"]
    assert f"/gate-results/{scenario['results'][0]['id']}" in part
    assert part.count("/runs/") >= 2


def test_a_second_attempt_is_told_from_the_first(client: TestClient, house: House) -> None:
    apply(client, confirm=1)
    run = start(client)
    end(house, run, [480, 100])
    part = get_part(client, f"/suite-runs/{run['id']}")
    assert "attempt 2, to confirm" in part
    end(house, run, [480, 490])
    assert "tried again" in get_part(client, f"/suite-runs/{run['id']}")


def test_a_scenario_that_waits_for_numbers_says_so(client: TestClient) -> None:
    posted = {**SCENARIO, "words": [], "train": False, "posted": True, "gates": [{"gate": "floor", "of": "posted"}]}
    assert apply(client, scenarios=[posted]).status_code == 200
    assert "numbers that somebody must post" in get_part(client, f"/suite-runs/{start(client)['id']}")


def test_a_program_gets_what_the_api_answers(client: TestClient) -> None:
    apply(client)
    run = start(client)
    for path in (f"/suite-runs/{run['id']}", "/suites", "/suites/daily"):
        assert client.get(path, headers=PROGRAM).json() == client.get(f"/api/v1{path}").json(), path


def test_what_there_is_not_is_not_found(client: TestClient) -> None:
    for path in ("/suites/nothing", "/suite-runs/nothing"):
        assert client.get(path, headers=BROWSER).status_code == 404
    assert client.post("/suites/nothing/runs", data={}, headers=BROWSER).status_code == 404


def test_a_suite_is_run_with_more_seeds_or_with_what_is_done_already(client: TestClient, house: House) -> None:
    apply(client)
    end(house, start(client, commit=FIRST), [480, 490])
    said = {"commit": FIRST, "branch": "", "who": "", "widen": "1", "reuse": "true"}
    answer = client.post("/suites/daily/runs", data=said, headers=BROWSER, follow_redirects=False)
    assert answer.status_code == 303
    run = look(client, {"id": answer.headers["location"].removeprefix("/suite-runs/")})
    steps = run["scenarios"][0]["runs"]
    assert sorted((step["seed"], step["state"]) for step in steps) == [
        (0, "succeeded"),
        (1, "succeeded"),
        (2, "queued"),
        (3, "queued"),
    ]


def test_what_cannot_be_widened_is_said_at_its_field_and_stays_open(client: TestClient) -> None:
    apply(client)
    said = {"widen": "21", "reuse": "true"}
    refused = client.post("/suites/daily/runs", data=said, headers=BROWSER)
    assert refused.status_code == 422
    assert "This is a whole number from 0 to 20." in refused.text
    assert 'value="21"' in refused.text
    assert 'value="true" checked' in refused.text
    assert "<details open>" in refused.text


def test_an_improvement_is_a_share_and_not_in_the_unit_of_its_metric(client: TestClient, house: House) -> None:
    """The score rises from 100 to 500, by 400 %, which is no return of an episode."""
    rises = {"name": "rises", "checks": [{"check": "improves", "key": KEY, "n_min": 5}]}
    apply(client, gates=[rises], scenarios=[{**SCENARIO, "seeds": [0], "gates": [{"gate": "rises"}]}])
    runs = [start(client), start(client)]
    for run in runs:
        end(house, run, [500])
    [result] = look(client, runs[0])["scenarios"][0]["results"]
    assert '+400.0%</strong> <span class="soft"></span>' in open_page(client, f"/gate-results/{result['id']}")
    page = open_page(client, "/suites/daily")
    assert f"improvement of {KEY}" in page
    assert '<strong>4</strong> <span class="soft">share</span>' in page
