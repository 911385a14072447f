"""The list of runs."""

from starlette.testclient import TestClient

from server.house import House
from server.tables import RunState, RunTag
from tests.server.factories import a_job, a_run
from tests.server.fakes import SetClock
from tests.server.pages.faces import BROWSER, HTMX, PROGRAM, get_part, open_page


def append(client: TestClient, run_id: str, *records: dict[str, object], key: str = "eval/mean_return") -> None:
    answer = client.post(f"/api/v1/runs/{run_id}/metrics", json={"offset": 0, "records": list(records)})
    assert answer.is_success, answer.text


def test_the_address_of_the_server_leads_to_the_runs(client: TestClient) -> None:
    answer = client.get("/", headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")


def test_an_empty_list_says_what_to_do(client: TestClient) -> None:
    page = open_page(client, "/runs")
    assert "No run yet." in page
    assert "dreamgate submit preset=cartpole" in page


def test_a_list_whose_filters_let_nothing_through_says_so(client: TestClient) -> None:
    assert "No run matches." in open_page(client, "/runs?q=nothing")


def test_a_row_says_how_a_run_is(client: TestClient, house: House, clock: SetClock) -> None:
    with house.database.writing() as session:
        a_run(
            session,
            id="k3x9c2m5q7dw",
            experiment="horizon",
            name="short dreams",
            seed=2,
            preset="cartpole",
            env_steps=3000,
            total_steps=4000,
            steps_per_s=12.5,
            started_at=clock(),
        )
    clock.advance(120)
    page = open_page(client, "/runs")
    for text in ("short dreams", "k3x9c2m5q7dw", "horizon", "cartpole", "75 %", "1 min 20 s", "12.5", "2 min ago"):
        assert text in page, text
    assert 'data-state="running"' in page


def test_a_name_that_is_a_script_is_only_text(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session, name="<script>alert(1)</script>", preset='"><b>', notes="<i>")
        session.add(RunTag(run_id=run.id, tag="<img src=x>"))
    page = open_page(client, "/runs")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert '"><b>' not in page


def test_htmx_gets_the_table_and_not_the_page(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        a_run(session)
    part = get_part(client, "/runs")
    assert part.lstrip().startswith("<section")
    assert "<form" not in part


def test_a_restored_history_gets_the_whole_page(client: TestClient) -> None:
    answer = client.get("/runs", headers={**HTMX, "HX-History-Restore-Request": "true", **BROWSER})
    assert answer.text.startswith("<!doctype html>")


def test_a_program_gets_what_the_api_answers(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        a_run(session, name="one")
        a_run(session, name="two", state=RunState.SUCCEEDED)
    answer = client.get("/runs?state=succeeded", headers=PROGRAM)
    assert [run["name"] for run in answer.json()["items"]] == ["two"]
    assert answer.headers["vary"] == "Accept, HX-Request"


def test_filters_are_in_the_address_and_in_the_form(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        a_run(session, experiment="horizon", name="in")
        a_run(session, experiment="other", name="out")
    page = open_page(client, "/runs?experiment=horizon&q=i")
    assert ">in</a>" in page
    assert ">out</a>" not in page
    assert "<option selected>horizon</option>" in page
    assert 'value="i"' in page


def test_a_filter_that_the_api_refuses_is_a_page_that_says_so(client: TestClient) -> None:
    answer = client.get("/runs?sort=colour", headers=BROWSER)
    assert answer.status_code == 422
    assert "Runs are not sorted by that." in answer.text


def test_more_runs_are_asked_for_by_cursor_and_come_as_rows(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        for number in range(51):
            a_run(session, name=f"run {number}", created_at=1000.0 + number)
    links = [part.split('"')[0] for part in open_page(client, "/runs").split('hx-get="')]
    [link] = [link for link in links if "cursor=" in link]
    rows = get_part(client, link.replace("&amp;", "&"))
    assert rows.count("<tr") == 1
    assert ">run 0</a>" in rows


def test_the_metrics_that_are_asked_for_are_columns(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session)
    append(client, run.id, {"env_steps": 1, "eval/mean_return": 412.345, "sps": "NaN"})
    page = open_page(client, "/runs?metrics=eval/mean_return,sps,absent")
    assert ">412.3</td>" in page
    assert 'metric bad">NaN</td>' in page


def test_seed_groups_say_how_many_seeds_and_how_far_apart(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        ids = [a_run(session, name="wide", seed=seed, seed_group="g" * 12).id for seed in range(3)]
        a_run(session, name="alone", seed=0, seed_group="h" * 12)
    for run_id, value in zip(ids, (100.0, 200.0, 300.0), strict=True):
        append(client, run_id, {"env_steps": 1, "eval/mean_return": value})
    page = open_page(client, "/runs?group=seeds")
    assert "n=3" in page
    assert '200 <span class="soft">100 … 300</span>' in page
    assert "n=1" in page


def test_rows_that_changed_are_asked_for_by_id(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        first, second = (a_run(session, name=name) for name in ("first", "second"))
        a_run(session, name="third")
    rows = get_part(client, f"/runs/rows?ids={second.id},{first.id},nobody,%00&metrics=sps")
    assert rows.count("<tr") == 2
    assert f'id="run-{first.id}"' in rows


def test_why_a_job_waits_is_told_on_hover(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        a_job(session, reason="No live worker serves the queue 'gpu'.")
    assert "No live worker serves the queue &#39;gpu&#39;." in open_page(client, "/runs")
