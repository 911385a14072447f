"""Gates and their results: lists, sentences, and the page that explains a verdict."""

from starlette.testclient import TestClient

from server.house import House
from tests.server.gates.scored import KEY
from tests.server.pages.faces import BROWSER, PROGRAM, get_part, open_page
from tests.server.pages.judging import a_baseline, a_broken_run, a_gate, a_group, a_verdict
from tests.server.suites.running import CHECK, FLOOR, SCENARIO, apply, end, start

GOOD, BAD = [470.0, 480.0, 490.0, 500.0], [200.0, 210.0, 220.0, 230.0]


def judge_bad_against_good(client: TestClient, house: House) -> tuple[str, list[str]]:
    good, bad = a_group(house, GOOD, "a" * 12), a_group(house, BAD, "b" * 12)
    a_baseline(client, good)
    a_gate(client)
    return a_verdict(client, bad, baseline="cartpole", commit="1a2b3c4d")["id"], bad


def test_a_failed_result_says_why_with_every_number(client: TestClient, house: House) -> None:
    result, bad = judge_bad_against_good(client, house)
    page = open_page(client, f"/gate-results/{result}")
    for text in (
        "fail: ",
        "485 → 215",
        "lose at most 48.5",
        "at least 400",
        "/baselines/cartpole/1",
        "/gates/solves?version=1",
        "1a2b3c4d",
        *(f"/runs/{run}" for run in bad),
    ):
        assert text in page, text


def test_every_picture_of_a_result_is_also_said_in_words(client: TestClient, house: House) -> None:
    result, _ = judge_bad_against_good(client, house)
    page = open_page(client, f"/gate-results/{result}")
    assert 'aria-label="-270 measured, accepted: lose at most 48.5, interval' in page
    assert 'aria-label="200 measured, accepted: at least 400"' in page


def test_curves_of_a_result_have_the_limits_of_all_checks(client: TestClient, house: House) -> None:
    result, bad = judge_bad_against_good(client, house)
    page = open_page(client, f"/gate-results/{result}?key={KEY}")
    assert f'data-runs="{",".join(bad)}"' in page
    assert "limit of floor" in page
    assert "limit of seeds bootstrap" in page
    assert "/baselines/cartpole/1/curve?key=eval%2Fmean_return" in page


def test_what_is_not_finite_is_shown_without_a_picture(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_broken_run(session)
    a_gate(client, checks=[{"check": "finite"}])
    page = open_page(client, f"/gate-results/{a_verdict(client, [run])['id']}")
    assert "first NaN at env step 2000" in page
    assert 'class="gauge"' not in page


def test_posted_numbers_have_no_curves_and_that_is_said(client: TestClient) -> None:
    a_gate(client, checks=[{"check": "floor", "key": "score", "value": 1}])
    body = {"numbers": [{"name": "tests", "records": [{"score": 0.5}]}]}
    result = client.post("/api/v1/gates/solves/evaluate", json=body).json()
    page = open_page(client, f"/gate-results/{result['id']}")
    assert "there are no curves here" in page
    assert "the numbers were posted" in page


def test_an_undecided_result_offers_the_seeds_that_would_decide(client: TestClient, house: House) -> None:
    good, few = a_group(house, GOOD, "a" * 12), a_group(house, [440.0, 470.0, 500.0], "b" * 12)
    a_baseline(client, good)
    a_gate(client, checks=[{"check": "seeds_bootstrap", "keys": [KEY]}])
    page = open_page(client, f"/gate-results/{a_verdict(client, few, baseline='cartpole')['id']}")
    assert "inconclusive" in page
    assert "more-seeds" not in page  # imported runs: only their own trainer can run them again


def test_results_are_filtered_by_gate_and_verdict(client: TestClient, house: House) -> None:
    result, bad = judge_bad_against_good(client, house)
    for query in ("", "?gate=solves", "?verdict=fail", f"?run={bad[0]}", "?verdict=nonsense"):
        assert f"/gate-results/{result}" in get_part(client, f"/gate-results{query}"), query
    for query in ("?gate=other", "?verdict=pass"):
        assert "No result matches" in get_part(client, f"/gate-results{query}"), query


def test_gates_say_what_they_ask_as_sentences(client: TestClient, house: House) -> None:
    judge_bad_against_good(client, house)
    page = open_page(client, "/gates/solves")
    assert "eval/mean_return: the last of every run is at least 400, over all records." in page
    assert "no NaN and no infinity" in page
    listed = open_page(client, "/gates")
    assert "compare" in listed
    assert "and 2 more" in listed
    assert "fail" in listed


def test_versions_of_a_gate_are_kept_apart(client: TestClient) -> None:
    a_gate(client, checks=[{"check": "floor", "key": KEY, "value": 300}])
    a_gate(client, checks=[{"check": "floor", "key": KEY, "value": 400}], version=2)
    assert "at least 400" in open_page(client, "/gates/solves")
    assert "at least 300" in open_page(client, "/gates/solves?version=1")
    assert client.get("/gates/solves?version=3", headers=BROWSER).status_code == 404


def test_the_built_in_gate_has_a_page(client: TestClient) -> None:
    assert "Every metric of the baseline" in open_page(client, "/gates/compare")


def test_a_program_gets_what_the_api_answers(client: TestClient, house: House) -> None:
    result, _ = judge_bad_against_good(client, house)
    for path in (f"/gate-results/{result}", "/gate-results", "/gates", "/gates/solves"):
        assert client.get(path, headers=PROGRAM).json() == client.get(f"/api/v1{path}").json(), path


def test_a_run_shows_its_baselines_and_what_gates_said(client: TestClient, house: House) -> None:
    result, bad = judge_bad_against_good(client, house)
    page = open_page(client, f"/runs/{bad[0]}")
    assert f"/gate-results/{result}" in page
    assert "in no baseline" in page
    [good, *_] = client.get("/api/v1/baselines/cartpole").json()[0]["runs"]
    assert "cartpole v1" in open_page(client, f"/runs/{good}")


def test_gates_of_a_suite_are_listed_with_it(client: TestClient) -> None:
    apply(client)
    assert "suite daily" in open_page(client, "/gates")
    assert "the last of every run is at least 400" in open_page(client, "/gates/floor?version=1")


def test_gates_of_two_suites_with_one_name_are_two_gates(client: TestClient, house: House) -> None:
    for suite, level in (("daily", 400), ("weekly", 600)):
        apply(client, suite, gates=[{**FLOOR, "checks": [{**CHECK, "value": level}]}])
        run = start(client, suite)
        end(house, run, [480, 490])
        link = f"/gates/floor?version=1&amp;suite={suite}"
        assert link in open_page(client, f"/suite-runs/{run['id']}")
        assert link in open_page(client, "/gate-results")
    daily, weekly = (open_page(client, f"/gates/floor?suite={suite}") for suite in ("daily", "weekly"))
    assert "is at least 400" in daily
    assert 'data-verdict="pass"' in daily
    assert 'data-verdict="fail"' not in daily
    assert "is at least 600" in weekly
    assert 'data-verdict="pass"' not in weekly
    assert "/gates/floor?version=1&amp;suite=weekly" in daily
    rows = open_page(client, "/gates").split("<tr>")
    [listed] = [row for row in rows if "suite weekly" in row]
    assert 'data-verdict="fail"' in listed
    assert "/gates/floor?suite=weekly" in listed
    assert client.get("/gates/floor?suite=nobody", headers=BROWSER).status_code == 404


def test_a_gate_that_stands_nowhere_any_more_is_shown_as_a_result_remembers_it(
    client: TestClient, house: House
) -> None:
    apply(client)
    end(house, start(client), [480, 490])
    apply(client, version=2, gates=[{**FLOOR, "name": "other"}], scenarios=[{**SCENARIO, "gates": [{"gate": "other"}]}])
    assert "as it was then" in open_page(client, "/gates/floor")


def test_a_version_that_a_suite_has_replaced_is_shown_as_a_result_remembers_it(
    client: TestClient, house: House
) -> None:
    apply(client)
    end(house, start(client), [480, 490])
    apply(client, version=2, gates=[{**FLOOR, "version": 2}])
    assert "as it was then" in open_page(client, "/gates/floor?version=1&suite=daily")
    assert client.get("/gates/floor?version=3&suite=daily", headers=BROWSER).status_code == 404
