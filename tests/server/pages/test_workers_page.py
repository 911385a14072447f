"""Workers and queues."""

from starlette.testclient import TestClient

from server.house import House
from tests.server.factories import a_job, a_running_job, a_worker
from tests.server.fakes import SetClock
from tests.server.jobs.asking import submit
from tests.server.pages.faces import get_part, open_page


def test_without_a_worker_the_page_says_how_to_start_one(client: TestClient) -> None:
    page = open_page(client, "/workers")
    assert "No worker is there" in page
    assert "dreamgate worker" in page


def test_a_worker_is_shown_with_what_it_runs(client: TestClient, house: House, clock: SetClock) -> None:
    with house.database.writing() as session:
        a_worker(session, name="box-1", queues=["cpu"], slots=2, facts={"version": "0.2.0"}, runs_commits=True)
        run = a_running_job(session, name="short dreams")
    clock.advance(10)
    page = open_page(client, "/workers")
    for text in ("box-1", "version</span> 0.2.0", "runs commits", "10 s ago", f'href="/runs/{run.id}"', "short dreams"):
        assert text in page, text


def test_what_waits_is_shown_in_the_order_of_claims_and_with_its_reason(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        a_job(session, name="the later one", queue="gpu", reason="No live worker serves the queue 'gpu'.")
        a_job(session, name="the urgent one", queue="gpu", priority=5)
    page = open_page(client, "/workers")
    assert page.index("the urgent one") < page.index("the later one")
    assert "No live worker serves the queue" in page


def test_what_a_job_waits_for_is_said_once(client: TestClient) -> None:
    first = submit(client)
    submit(client, needs=[first])
    page = open_page(client, "/workers")
    assert page.lower().count("waits for 1 of the runs that it needs") == 1
    assert "waits for 1 run " not in page


def test_the_page_asks_for_its_part_again(client: TestClient) -> None:
    part = get_part(client, "/workers")
    assert part.count('hx-trigger="every 5s, changed"') == 1
    assert "<html" not in part


def test_a_job_that_waits_can_be_cancelled(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_job(session)
    assert f"POST /api/v1/jobs/{run.id}/cancel" in open_page(client, "/workers")
