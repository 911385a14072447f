"""The experiment that the runs of a suite are kept in."""

from starlette.testclient import TestClient

from tests.server.jobs.asking import get
from tests.server.suites.running import API, apply, start


def test_the_experiment_of_a_suite_asks_what_the_suite_asks(client: TestClient) -> None:
    apply(client, question="Is it still good?")
    start(client)
    [experiment] = get(client, "/experiments")["items"]
    assert (experiment["name"], experiment["question"]) == ("suite daily", "Is it still good?")
    client.patch(f"{API}/experiments/{experiment['id']}", json={"question": "Ours?"})
    start(client)
    assert get(client, "/experiments")["items"][0]["question"] == "Ours?"
