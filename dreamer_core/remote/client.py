"""The typed client of a Dreamgate server: what the commands, the worker and anybody's trainer speak through."""

from typing import TYPE_CHECKING, Self

from dreamer_core.remote.address import find_server, find_token
from dreamer_core.remote.baseline_calls import BaselineCalls
from dreamer_core.remote.config_calls import ConfigCalls
from dreamer_core.remote.experiment_calls import ExperimentCalls
from dreamer_core.remote.file_calls import FileCalls
from dreamer_core.remote.gate_calls import GateCalls
from dreamer_core.remote.job_calls import JobCalls
from dreamer_core.remote.metric_calls import MetricCalls
from dreamer_core.remote.run_calls import RunCalls
from dreamer_core.remote.stream_calls import StreamCalls
from dreamer_core.remote.suite_calls import SuiteCalls
from dreamer_core.remote.transport import Transport
from dreamer_core.remote.worker_calls import WorkerCalls

if TYPE_CHECKING:
    import httpx2


class Client(
    ExperimentCalls,
    RunCalls,
    JobCalls,
    MetricCalls,
    FileCalls,
    StreamCalls,
    ConfigCalls,
    WorkerCalls,
    BaselineCalls,
    GateCalls,
    SuiteCalls,
):
    """One server. Safe to use from several threads; connects when it is first asked for something.

    `url` and `token` come from DREAMGATE_SERVER and DREAMGATE_TOKEN where they are not given. `timeout_s` is for one
    attempt; while nobody answers, or only "later", attempts go on for `patience_s`, then Unreachable is raised.
    `http` is for tests.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        timeout_s: float = 30.0,
        *,
        patience_s: float = 10.0,
        http: "httpx2.Client | None" = None,
    ) -> None:
        self.url = find_server(url)
        found = find_token(self.url, token)
        super().__init__(Transport(self.url, found, timeout_s=timeout_s, patience_s=patience_s, http=http))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
