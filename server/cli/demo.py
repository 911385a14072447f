"""What `up --demo` shows: CartPole is learned and judged, blessed as a baseline, and another seed is gated against it.

Every step looks at what the server has, so a demo that was interrupted goes on where it was. Once per data folder.
"""

import json
import time
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError

WORDS = ("preset=cartpole",)
_NAME = "demo"
_WHO = "up --demo"
_KEY = "eval/mean_return"
_LOOK_EVERY_S = 5.0


class Demo:
    """The few requests that this needs, without the weight of the real client: `up` stays small while it waits."""

    def __init__(self, address: str, token: str, words: Sequence[str] = WORDS) -> None:
        self._api, self._token, self._words = f"{address}/api/v1", token, list(words)
        self._next_look, self._is_over = 0.0, False
        self._known: dict[str, str] = {}  # the demo's own runs, by suite

    def look(self) -> str:
        """A sentence when something was done, else nothing. A demo that is refused is no reason to stop everything."""
        now = time.monotonic()
        if self._is_over or now < self._next_look:
            return ""
        self._next_look = now + _LOOK_EVERY_S
        try:
            return self._step()
        except HTTPError as error:
            self._is_over = True
            return f"the demo was refused ({error.code}): {error.read()[:500].decode(errors='replace')}"
        except OSError:
            return ""  # the server is away for a moment, and is started again

    def _step(self) -> str:
        first, second = self._own(_NAME), self._own(f"{_NAME}-gate")
        if first is None:
            return self._start(_NAME, self._learn(), "the demo is queued: CartPole is learned, and then judged")
        if first["state"] == "running":
            return ""
        if second is None and first["state"] == "finished":
            self._bless(first["id"])
            return self._start(
                f"{_NAME}-gate", self._gate(), "the demo blessed a baseline; another seed is judged by it"
            )
        if second is not None and second["state"] == "running":
            return ""
        self._is_over = True
        last = second or first
        return f"the demo is over: suite {last['suite']} is {last['reason']}"

    def _own(self, suite: str) -> dict[str, Any] | None:
        """The run that a demo started, whoever else has run the same suite since."""
        if suite not in self._known:
            cursor = ""
            while cursor is not None:
                page = self._call("GET", f"suite-runs?suite={suite}&limit=200{cursor and f'&cursor={cursor}'}")
                for run in page["items"]:
                    if run["who"] == _WHO:
                        self._known[suite] = run["id"]  # the last one is the oldest
                cursor = page["next"]
        run_id = self._known.get(suite)
        return self._call("GET", f"suite-runs/{run_id}") if run_id else None

    def _start(self, name: str, suite: dict[str, Any], words: str) -> str:
        """The key makes it one run, also where an `up` was killed between the two."""
        self._call("PUT", f"suites/{name}", {"suite": suite, "source": _WHO})
        self._call("POST", f"suites/{name}/runs", {"trigger": "terminal", "who": _WHO}, key=f"demo-{name}")
        return words

    def _bless(self, suite_run: str) -> None:
        steps = self._call("GET", f"suite-runs/{suite_run}")["scenarios"][0]["runs"]
        runs = [step["run_id"] for step in steps if step["kind"] == "eval"]
        body = {"name": _NAME, "runs": runs, "keys": [_KEY], "who": "demo", "why": "the first agent that was trained"}
        allow = ["single_seed", "dirty", "failed", "unfinished"]
        self._call("POST", "baselines", {**body, "allow": allow}, key="demo-bless")

    def _learn(self) -> dict[str, Any]:
        sound = {"name": "sound", "checks": [{"check": "finite"}]}
        solved = {"name": "solved", "checks": [{"check": "floor", "key": _KEY, "value": 400}]}
        uses = [{"gate": "sound"}, {"gate": "solved", "of": "eval"}]
        return self._suite("Does the agent learn to balance the pole?", 0, [sound, solved], uses)

    def _gate(self) -> dict[str, Any]:
        uses = [{"gate": "compare", "of": "eval", "baseline": _NAME}]
        return self._suite("Is another seed as good as the baseline?", 1, [], uses)

    def _suite(self, question: str, seed: int, gates: list[Any], uses: list[Any]) -> dict[str, Any]:
        scenario = {
            "name": "cartpole",
            "words": self._words,
            "seeds": [seed],
            "eval": {"episodes": 20},
            "gates": uses,
        }
        return {"question": question, "gates": gates, "scenarios": [scenario]}

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._api}/{path}", data, headers, method=method)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
