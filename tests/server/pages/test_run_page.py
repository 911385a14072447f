"""The page of one run."""

import pytest
from starlette.testclient import TestClient

from server.configs.resolve import resolve
from server.house import House
from server.tables import RunKind, RunState
from tests.server.factories import NOW, a_job, a_run, a_running_job
from tests.server.fakes import SetClock
from tests.server.jobs.asking import submit_all
from tests.server.pages.faces import BROWSER, PROGRAM, get_part, open_page


def test_the_head_says_what_it_is_and_how_far(client: TestClient, house: House, clock: SetClock) -> None:
    with house.database.writing() as session:
        run = a_running_job(session, name="short dreams", env_steps=1000, total_steps=4000, steps_per_s=10.0, seed=0)
    clock.advance(100)
    page = open_page(client, f"/runs/{run.id}")
    for text in ("short dreams", run.id, "25 %", "1,000", "4,000", "5 min", "1 min 40 s", "n=1"):
        assert text in page, text


def test_the_head_alone_is_what_htmx_gets(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session)
    assert get_part(client, f"/runs/{run.id}").lstrip().startswith('<header id="run-header"')


def test_a_program_gets_the_run(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session, config={"lr": 0.1})
    answer = client.get(f"/runs/{run.id}", headers=PROGRAM).json()
    assert (answer["id"], answer["config"]) == (run.id, {"lr": 0.1})


@pytest.mark.parametrize("part", ["board", "events", "config", "artifacts"])
def test_every_part_can_be_asked_for_alone(client: TestClient, house: House, part: str) -> None:
    with house.database.writing() as session:
        run = a_run(session)
    assert f'id="{part}"' in get_part(client, f"/runs/{run.id}/parts/{part}")


def test_a_part_that_there_is_not_is_not_found(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session)
    assert client.get(f"/runs/{run.id}/parts/base", headers=BROWSER).status_code == 404


def test_attempts_are_listed_with_their_worker(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_running_job(session)
    part = get_part(client, f"/runs/{run.id}/parts/attempts")
    assert "<td>worker</td>" in part
    assert 'data-state="running"' in part


def test_a_run_that_there_is_not_is_a_page_that_says_so(client: TestClient) -> None:
    answer = client.get("/runs/zzzzzzzzzzzz", headers=BROWSER)
    assert answer.status_code == 404
    assert "There is no run &#39;zzzzzzzzzzzz&#39;." in answer.text


def test_everything_that_people_wrote_is_only_text(client: TestClient, house: House) -> None:
    evil = '"><script>alert(1)</script>'
    with house.database.writing() as session:
        run = a_run(
            session,
            name=evil,
            hypothesis=evil,
            conclusion=evil,
            notes=evil,
            error=evil,
            preset=evil,
            env=evil,
            primary_metric=evil,
            config={evil: evil},
            experiment=evil,
        )
    for body in (
        {"offset": 0, "events": [{"kind": evil, "message": evil, "fact": evil, evil: evil}]},
        {"offset": 0, "records": [{"env_steps": 1, evil: 1.0}]},
    ):
        name = "events" if "events" in body else "metrics"
        assert client.post(f"/api/v1/runs/{run.id}/{name}", json=body).is_success
    page = open_page(client, f"/runs/{run.id}")
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("state", "offered", "withheld"),
    [
        (RunState.QUEUED, ["cancel"], ["retry", "resume"]),
        (RunState.RUNNING, ["cancel"], ["retry", "resume"]),
        (RunState.STOPPING, [], ["cancel", "retry", "resume"]),
        (RunState.SUCCEEDED, ["resume"], ["cancel", "retry"]),
        (RunState.FAILED, ["retry", "resume"], ["cancel"]),
        (RunState.CANCELLED, ["retry", "resume"], ["cancel"]),
    ],
)
def test_only_what_can_be_done_is_offered(
    client: TestClient, house: House, state: RunState, offered: list[str], withheld: list[str]
) -> None:
    with house.database.writing() as session:
        run = a_job(session, state=state)
    page = open_page(client, f"/runs/{run.id}")
    for action in offered:
        assert f"/api/v1/jobs/{run.id}/{action}" in page, action
    for action in withheld:
        assert f"/api/v1/jobs/{run.id}/{action}" not in page, action
    assert (f"DELETE /api/v1/runs/{run.id}" in page) is state.is_final


def test_an_imported_run_has_no_job_to_act_on(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session, state=RunState.SUCCEEDED)
    page = open_page(client, f"/runs/{run.id}")
    assert "/api/v1/jobs/" not in page
    assert "/launch?clone=" not in page


def test_a_deleted_run_can_be_restored(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session, state=RunState.SUCCEEDED, deleted_at=NOW)
    assert f"POST /api/v1/runs/{run.id}/restore" in open_page(client, f"/runs/{run.id}")


def test_the_charts_are_there_to_read_without_a_script(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session)
    records = [{"env_steps": step, "eval/mean_return": value} for step, value in ((1, 9.0), (2, "NaN"), (3, 475.5))]
    assert client.post(f"/api/v1/runs/{run.id}/metrics", json={"offset": 0, "records": records}).is_success
    page = open_page(client, f"/runs/{run.id}")
    assert "eval/mean_return: last 475.5, lowest 9, highest 475.5, 3 points" in page
    assert "Not finite at 1 of 3 points, first at step 2" in page


def test_a_training_that_has_just_begun_shows_the_charts_to_come(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_job(session, mode="train")
    page = open_page(client, f"/runs/{run.id}")
    assert 'data-key="eval/mean_return"' in page
    assert 'data-key="State/kl"' in page


def test_the_config_shows_what_differs_from_its_preset(client: TestClient, house: House) -> None:
    found = resolve(["preset=cartpole", "algo.horizon=10", "seed=3"])
    with house.database.writing() as session:
        run = a_run(session, config=found.config, preset="cartpole", fingerprint=found.fingerprint)
    part = get_part(client, f"/runs/{run.id}/parts/config")
    assert part.count("<tr data-changed>") == 1
    assert "<strong>10</strong>" in part


def test_a_seed_that_was_cancelled_is_no_seed_of_its_group(client: TestClient) -> None:
    first, second, third = (job["run_id"] for job in submit_all(client, seeds=[0, 1, 2]))
    client.post(f"/api/v1/jobs/{third}/cancel")
    page = open_page(client, f"/runs/{first}")
    assert f'href="/runs/{second}"' in page
    assert f'href="/runs/{third}"' not in page
    assert ">n=2</a>" in page


def test_the_other_seeds_are_a_click_away(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        runs = [a_run(session, seed=seed, seed_group="g" * 12) for seed in (0, 1, 2)]
    page = open_page(client, f"/runs/{runs[1].id}")
    assert "n=3" in page
    assert f'href="/runs/{runs[0].id}"' in page
    assert '<strong aria-current="page">1</strong>' in page


def test_artifacts_can_be_seen_and_downloaded(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_run(session)
    for name in ("eval/a b#.json", "viz/dream.mp4", "viz/dream.png"):
        assert client.put(f"/api/v1/runs/{run.id}/artifacts/{name.replace('#', '%23')}", content=b"{}").is_success
    part = get_part(client, f"/runs/{run.id}/parts/artifacts")
    assert f'href="/api/v1/runs/{run.id}/artifacts/eval/a%20b%23.json"' in part
    assert "<video controls" in part
    assert "<img loading" in part


def test_an_evaluation_names_the_run_whose_checkpoint_it_takes(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        source = a_job(session, state=RunState.SUCCEEDED)
        run = a_job(session, kind=RunKind.EVAL, parent_id=source.id)
    assert f'href="/runs/{source.id}"' in open_page(client, f"/runs/{run.id}")
