"""What `up --demo` asks for: CartPole is learned, and its best checkpoint evaluated. Once per data folder."""

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError

_EXPERIMENT, _NAME = "demo", "CartPole demo"

_TRAINING = {
    "kind": "train",
    "experiment": _EXPERIMENT,
    "name": _NAME,
    "words": ["preset=cartpole"],
    "seeds": [0],
    "tags": ["demo"],
    "hypothesis": "4,000 steps are enough for CartPole: the best checkpoint balances all 500 steps.",
    "primary_metric": "eval/mean_return",
}


def submit(address: str, token: str) -> str:
    """What came of it, in a sentence: a demo that cannot be queued is no reason to stop everything."""
    call = _Caller(address, token)
    try:
        if call.has_runs(kind="eval"):
            return "the CartPole demo was queued before"
        run_id = call.post("jobs", _TRAINING, key="demo-train")["items"][0]["run_id"]
        call.post("jobs", _evaluation_of(run_id), key="demo-eval")
    except HTTPError as error:
        return f"the CartPole demo was refused ({error.code}): {error.read()[:500].decode(errors='replace')}"
    except OSError as error:
        return f"the CartPole demo could not be queued: {error}"
    return f"the CartPole demo is queued as run {run_id}"


def _evaluation_of(run_id: str) -> dict[str, Any]:
    return {
        "kind": "eval",
        "experiment": _EXPERIMENT,
        "name": f"{_NAME}, evaluated",
        "checkpoint": {"run": run_id, "which": "best"},
        "needs": [run_id],
        "arguments": {"episodes": 20, "greedy": True},
        "tags": ["demo"],
    }


class _Caller:
    """The few requests that this needs, without the weight of the real client: `up` stays small while it waits."""

    def __init__(self, address: str, token: str) -> None:
        self._api, self._token = f"{address}/api/v1", token

    def has_runs(self, *, kind: str) -> bool:
        try:
            return bool(self._call(f"runs?experiment={_EXPERIMENT}&kind={kind}&limit=1")["items"])
        except HTTPError as error:
            if error.code != 404:  # no such experiment yet
                raise
            return False

    def post(self, path: str, body: dict[str, Any], *, key: str) -> Any:
        """The key makes it one job, also where an `up` was killed between the two."""
        return self._call(path, json.dumps(body).encode(), **{"Idempotency-Key": key})

    def _call(self, path: str, body: bytes | None = None, **headers: str) -> Any:
        headers |= {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._api}/{path}", body, headers)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
