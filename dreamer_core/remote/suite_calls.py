"""Suites: keep them on the server, run them, post what they wait for, and be told their verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dreamer_core.remote.calls import Calls, present
from dreamer_core.remote.reading import read, read_all
from dreamer_core.remote.shapes import Page
from dreamer_core.remote.suite_shapes import Delivery, Suite, SuiteRun, SuiteRunDetail, Webhook
from dreamer_core.remote.transport import segment


class SuiteCalls(Calls):
    def apply_suite(self, suite: Mapping[str, Any], source: str = "") -> Suite:
        """As in its file. Another body needs another version."""
        body = {"source": source, "suite": dict(suite)}
        return read(Suite, self._http.json("PUT", f"/suites/{segment(str(suite['name']))}", body))

    def suites(self) -> tuple[Suite, ...]:
        """The newest version of every suite, each with its latest run."""
        return tuple(self._every(Suite, "/suites", {}))

    def get_suite(self, name: str, version: int | None = None) -> Suite:
        return read(Suite, self._http.json("GET", f"/suites/{segment(name)}", params={"version": version}))

    def start_suite(
        self,
        name: str,
        *,
        commit: str | None = None,
        branch: str | None = None,
        trigger: Literal["ci", "terminal", "page", "bisect"] = "ci",
        who: str = "",
        widen: int = 0,
        reuse: bool = False,
    ) -> SuiteRunDetail:
        """Run the newest version. `commit` None: the code that the workers have installed.

        `widen`: so many times as many seeds more. `reuse`: what this commit has done already, with the same config and
        seed, is not done again.
        """
        body = present({"commit": commit, "branch": branch, "trigger": trigger, "who": who})
        body |= {"widen": widen, "reuse": reuse}
        return read(SuiteRunDetail, self._http.json("POST", f"/suites/{segment(name)}/runs", body, makes=True))

    def list_suite_runs(
        self,
        *,
        suite: str | None = None,
        commit: str | None = None,
        branch: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[SuiteRun]:
        """The newest first."""
        params = {"suite": suite, "commit": commit, "branch": branch, "state": state}
        return self._page(SuiteRun, "/suite-runs", {**params, "limit": limit, "cursor": cursor})

    def get_suite_run(self, suite_run_id: str) -> SuiteRunDetail:
        return read(SuiteRunDetail, self._http.json("GET", f"/suite-runs/{segment(suite_run_id)}"))

    def cancel_suite_run(self, suite_run_id: str) -> SuiteRunDetail:
        """Stop its jobs; what it comes to is `skipped`."""
        return read(SuiteRunDetail, self._http.json("POST", f"/suite-runs/{segment(suite_run_id)}/cancel"))

    def post_numbers(
        self,
        suite_run_id: str,
        scenario: str,
        *,
        numbers: Sequence[Mapping[str, Any]] = (),
        parity: Sequence[Mapping[str, Any]] = (),
    ) -> SuiteRunDetail:
        """To a scenario that waits for them: numbers as [{name, seed, records}], comparisons with a reference."""
        path = f"/suite-runs/{segment(suite_run_id)}/scenarios/{segment(scenario)}/numbers"
        body = {"numbers": list(numbers), "parity": list(parity)}
        return read(SuiteRunDetail, self._http.json("POST", path, body))

    def suite_badge(self, name: str, branch: str | None = None) -> str:
        """The newest verdict as SVG."""
        return self._http.call("GET", f"/suites/{segment(name)}/badge.svg", params={"branch": branch}).text

    def add_webhook(self, url: str, suites: Sequence[str] = ()) -> Webhook:
        """Tell an address every verdict. Only this answer holds the secret that signs the messages."""
        return read(Webhook, self._http.json("POST", "/webhooks", {"url": url, "suites": list(suites)}))

    def webhooks(self) -> tuple[Webhook, ...]:
        return read_all(Webhook, {"items": self._http.json("GET", "/webhooks")})

    def remove_webhook(self, webhook_id: str) -> None:
        self._http.json("DELETE", f"/webhooks/{segment(webhook_id)}")

    def webhook_deliveries(self, webhook_id: str) -> tuple[Delivery, ...]:
        """What it was told, the newest first."""
        return read_all(Delivery, {"items": self._http.json("GET", f"/webhooks/{segment(webhook_id)}/deliveries")})
