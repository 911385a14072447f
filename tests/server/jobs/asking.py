"""What tests of jobs say to the server, in few words: as a person, and as a worker."""

from typing import Any

from starlette.testclient import TestClient

API = "/api/v1"
WORDS = ["preset=cartpole"]
Json = dict[str, Any]


def post(client: TestClient, path: str, body: Any = None, *, lease: str | None = None, status: int = 200) -> Json:
    headers = {"X-Dreamgate-Lease": lease} if lease else {}
    response = client.post(API + path, json=body, headers=headers)
    assert response.status_code == status, response.text
    answer: Json = response.json()
    return answer


def get(client: TestClient, path: str, **params: Any) -> Json:
    response = client.get(API + path, params=params)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def refused(response: Any) -> tuple[int, str, str]:
    """Status, code and message of an error."""
    error = response.json()["error"]
    return response.status_code, error["code"], error["message"]


def submit_all(client: TestClient, **fields: Any) -> list[Json]:
    body = {"kind": "train", "queue": "cpu", **({"words": WORDS} if "kind" not in fields else {}), **fields}
    jobs: list[Json] = post(client, "/jobs", body, status=201)["items"]
    return jobs


def submit(client: TestClient, **fields: Any) -> str:
    """The id of one job."""
    [job] = submit_all(client, **fields)
    return str(job["run_id"])


def register(client: TestClient, name: str = "worker", **facts: Any) -> str:
    said = {"name": name, "host": "box", "pid": 1, "queues": ["cpu"], "slots": 1, "gpus": 0, **facts}
    return str(post(client, "/workers", said)["id"])


def claim(client: TestClient, worker_id: str, queues: tuple[str, ...] = ("cpu",), free_gpus: int = 0) -> Json:
    body = {"queues": list(queues), "free_gpus": free_gpus}
    return post(client, f"/workers/{worker_id}/claim", body)


def start(client: TestClient, worker_id: str, **asked: Any) -> Json:
    """What a worker is told about the job that it gets."""
    claimed: Json = claim(client, worker_id, **asked)["claim"]
    return claimed


def end(client: TestClient, claimed: Json, outcome: str = "succeeded", **said: Any) -> str:
    body = {"outcome": outcome, **said}
    return str(post(client, f"/jobs/{claimed['run_id']}/end", body, lease=claimed["token"])["state"])


def job(client: TestClient, run_id: str) -> Json:
    return get(client, f"/jobs/{run_id}")


def state(client: TestClient, run_id: str) -> str:
    return str(job(client, run_id)["state"])


def event_kinds(client: TestClient, run_id: str) -> list[str]:
    return [event["kind"] for event in get(client, f"/runs/{run_id}/events")["items"] if event["origin"] == "server"]
