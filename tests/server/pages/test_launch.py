"""The launch form over HTTP."""

from urllib.parse import parse_qs, urlsplit

from sqlmodel import select
from starlette.testclient import TestClient

from server.configs.estimates import Estimate, Estimates
from server.configs.resolve import resolve
from server.house import House
from server.tables import Job, Run, RunState
from tests.server.factories import a_job
from tests.server.pages.faces import BROWSER, HTMX, check_html, open_page

FORM = {"preset": "cartpole", "words": "algo.horizon=10", "seeds": "0-1", "experiment": "horizon", "queue": "cpu"}


def check(client: TestClient, path: str = "/launch/check", **changes: str) -> str:
    answer = client.post(path, data=FORM | changes, headers=HTMX)
    assert answer.status_code == 200, answer.text
    check_html(answer.text)
    return answer.text


def problem_at(field: str, part: str) -> str:
    """What stands under a field."""
    return part.split(f'id="{field}-problem"')[1].split(">", 1)[1].split("</p>")[0]


def test_the_form_offers_every_preset_and_every_setting(client: TestClient) -> None:
    page = open_page(client, "/launch")
    assert '<option value="nature-12m"' in page
    assert 'data-key="algo.horizon"' in page
    assert "learned in minutes on one core" in page


def test_the_check_says_what_would_be_launched(client: TestClient) -> None:
    found = resolve(["preset=cartpole", "algo.horizon=10"])
    part = check(client)
    for text in ("2 runs of cartpole", "CartPole-v1", "4,000", "n=2", found.family, found.fingerprint, "algo.horizon"):
        assert text in part, text


def test_a_wrong_key_is_told_under_the_overrides_in_the_cores_own_words(client: TestClient) -> None:
    part = check(client, words="algo.horizn=10")
    assert "Not yet launchable" in part
    assert "did you mean" in problem_at("words", part)


def test_a_wrong_seed_is_told_under_the_seeds(client: TestClient) -> None:
    part = check(client, seeds="one")
    assert "Seeds are whole numbers" in problem_at("seeds", part)
    assert problem_at("words", part) == ""


def test_a_number_out_of_range_is_told_under_its_field(client: TestClient) -> None:
    assert problem_at("priority", check(client, priority="101")) != ""


def test_everything_that_is_wrong_is_told_at_once(client: TestClient) -> None:
    wrong = {"seeds": "one", "queue": "No Queue", "priority": "101", "gpus": "many", "commit": "HEAD"}
    part = check(client, words="algo.horizn=10\nalgo.gamma=7\nalgo.horizon", **wrong)
    for field in wrong:
        assert problem_at(field, part), field
    assert [line.partition(":")[0] for line in problem_at("words", part).split("\n")] == [
        "algo.horizn",
        "algo.gamma",
        "expected key=value, got &#39;algo.horizon&#39;",
    ]
    assert "7 to 40 of the digits" in problem_at("commit", part)


def test_a_preset_that_is_wrong_hides_nothing_else(client: TestClient) -> None:
    part = check(client, preset="cartpol", seeds="one")
    assert "did you mean cartpole" in problem_at("preset", part)
    assert problem_at("seeds", part)


def test_a_seed_among_the_overrides_is_not_dropped(client: TestClient) -> None:
    part = check(client, words="seed=3", seeds="0")
    assert "say it in Seeds" in problem_at("words", part)
    assert "seeds</dt><dd>3 " in check(client, words="seed=3", seeds="")
    assert "1 run of" in check(client, words="seed=3", seeds="3")


def test_an_estimate_is_made_only_when_it_is_asked_for(client: TestClient, house: House) -> None:
    estimate = {"parameters": {"world_model": 123456}, "replay_bytes": 2**20, "memory_bytes": 2**21}
    object.__setattr__(house, "estimates", Estimates(lambda file: Estimate(estimate, None)))
    assert "123,456" not in check(client)
    part = check(client, "/launch/check?estimate=true")
    assert "123,456" in part
    assert "2 MiB" in part


def test_submitting_makes_a_job_for_each_seed(client: TestClient, house: House) -> None:
    answer = client.post("/launch", data=FORM | {"tags": "a, b"}, headers=BROWSER, follow_redirects=False)
    assert answer.status_code == 303
    with house.database.reading() as session:
        runs = session.exec(select(Run)).all()
    assert sorted(run.seed or 0 for run in runs) == [0, 1]
    assert {run.config["algo"]["horizon"] for run in runs} == {10}
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked == {"seed_group": [runs[0].seed_group]}


def test_a_single_run_is_where_submitting_leads(client: TestClient, house: House) -> None:
    answer = client.post("/launch", data=FORM | {"seeds": "5"}, headers=BROWSER, follow_redirects=False)
    with house.database.reading() as session:
        [run] = session.exec(select(Run)).all()
    assert answer.headers["location"] == f"/runs/{run.id}"


def test_a_form_that_is_refused_comes_back_as_it_was_typed(client: TestClient, house: House) -> None:
    answer = client.post("/launch", data=FORM | {"words": "algo.gamma=7", "name": "<b>"}, headers=BROWSER)
    assert answer.status_code == 422
    check_html(answer.text)
    assert "algo.gamma=7" in answer.text
    assert 'value="&lt;b&gt;"' in answer.text
    assert "gamma" in problem_at("words", answer.text)
    with house.database.reading() as session:
        assert session.exec(select(Run)).all() == []


def test_a_clone_begins_with_what_the_run_has_beyond_its_preset(client: TestClient, house: House) -> None:
    found = resolve(["preset=cartpole", "algo.horizon=10", "seed=3"])
    with house.database.writing() as session:
        run = a_job(
            session,
            state=RunState.SUCCEEDED,
            config=found.config,
            preset="cartpole",
            seed=3,
            name="ten",
            experiment="h",
        )
    page = open_page(client, f"/launch?clone={run.id}")
    assert ">algo.horizon=10</textarea>" in page
    assert 'value="ten"' in page
    assert f'name="parent" value="{run.id}"' in page


def test_a_clone_unchanged_is_the_same_setting_and_remembers_its_parent(client: TestClient, house: House) -> None:
    found = resolve(["preset=cartpole", "algo.horizon=10"])
    with house.database.writing() as session:
        parent = a_job(session, state=RunState.SUCCEEDED, config=found.config, preset="cartpole", seed=0)
    client.post("/launch", data=FORM | {"seeds": "0", "parent": parent.id}, headers=BROWSER, follow_redirects=False)
    with house.database.reading() as session:
        [run] = session.exec(select(Run).where(Run.parent_id == parent.id)).all()
        assert session.get(Job, run.id) is not None
    assert run.fingerprint == found.fingerprint


def test_a_form_without_end_is_not_read(client: TestClient) -> None:
    assert client.post("/launch/check", content=b"words=" + b"a" * 300_000, headers=HTMX).status_code == 413
