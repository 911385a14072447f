"""What is compared: Dreamgate and its peers, each behind the same few questions."""

import json
import sys
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from server_http import Http, Request, free_port
from server_process import Server

ROOT = Path(__file__).resolve().parents[1]
_TOKEN = "benchmark-" + "0" * 32

Columns = Mapping[str, Sequence[float]]


class Tool(Protocol):
    name: str
    points: int  # that a drawn curve may have
    share: float  # of the work that is done to measure it: who needs minutes for a thousand batches is given fewer

    def start(self, folder: Path) -> Server: ...

    def connect(self, server: Server) -> Http: ...

    def new_run(self, http: Http, name: str) -> str: ...

    def append(self, run: str, first: int, columns: Columns) -> list[Request]:
        """Records number `first` and on, one value of each key in each."""

    def curves(self, runs: Sequence[str], key: str) -> Request: ...

    def first_page(self) -> Request | None: ...

    def sorted_page(self, key: str) -> Request | None: ...


class Dreamgate:
    name, points, share = "dreamgate", 1000, 1.0

    def start(self, folder: Path) -> Server:
        port = free_port()
        environ = {"DREAMGATE_DATA": str(folder / "data"), "DREAMGATE_TOKEN": _TOKEN, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "dreamer_core.cli.main", "serve", "--port", str(port)]
        return Server(command, folder, port, environ, "/health")

    def connect(self, server: Server) -> Http:
        return Http(server.port, {"Authorization": f"Bearer {_TOKEN}"})

    def new_run(self, http: Http, name: str) -> str:
        answer = http.send(_post("/api/v1/runs", {"experiment": "benchmark", "name": name, "config": {}}))
        return str(json.loads(answer.body)["id"])

    def append(self, run: str, first: int, columns: Columns) -> list[Request]:
        count = _length(columns)
        records = [
            {"env_steps": first + row, **{key: column[row] for key, column in columns.items()}} for row in range(count)
        ]
        return [_post(f"/api/v1/runs/{run}/metrics", {"offset": first, "records": records})]

    def curves(self, runs: Sequence[str], key: str) -> Request:
        asked = urllib.parse.urlencode({"runs": ",".join(runs), "keys": key, "points": self.points})
        return Request("GET", f"/api/v1/curves?{asked}")

    def first_page(self) -> Request | None:
        return Request("GET", "/api/v1/runs?limit=100&metrics=loss")

    def sorted_page(self, key: str) -> Request | None:
        asked = urllib.parse.urlencode({"limit": 100, "metrics": key, "sort": f"-metric:{key}"})
        return Request("GET", f"/api/v1/runs?{asked}")


class Mlflow:
    name, points, share = "mlflow", 1000, 0.1

    def __init__(self, venv: Path) -> None:
        self._program = venv / "bin" / "mlflow"

    def start(self, folder: Path) -> Server:
        port = free_port()
        store = f"sqlite:///{folder / 'mlflow.db'}"
        command = [str(self._program), "server", "--backend-store-uri", store, "--port", str(port)]
        return Server(command, folder, port, {"PATH": f"{self._program.parent}:/usr/bin:/bin"}, "/health")

    def connect(self, server: Server) -> Http:
        return Http(server.port)

    def new_run(self, http: Http, name: str) -> str:
        body = {"experiment_id": "0", "run_name": name, "start_time": 0, "tags": []}
        answer = http.send(_post("/api/2.0/mlflow/runs/create", body))
        return str(json.loads(answer.body)["run"]["info"]["run_id"])

    def append(self, run: str, first: int, columns: Columns) -> list[Request]:
        metrics = [
            {"key": key, "value": value, "timestamp": first + row, "step": first + row}
            for key, column in columns.items()
            for row, value in enumerate(column)
        ]
        parts = [metrics[start : start + 1000] for start in range(0, len(metrics), 1000)]  # its limit
        return [_post("/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": part}) for part in parts]

    def curves(self, runs: Sequence[str], key: str) -> Request:
        asked = urllib.parse.urlencode(
            [*(("run_ids", run) for run in runs), ("metric_key", key), ("max_results", self.points)]
        )
        return Request("GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{asked}")

    def first_page(self) -> Request | None:
        return _post("/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"], "max_results": 100})

    def sorted_page(self, key: str) -> Request | None:
        order = [f"metrics.`{key}` DESC"]
        return _post("/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"], "max_results": 100, "order_by": order})


class Trackio:
    """Its runs are known by name, and its list of runs is always all of them."""

    name, points, share = "trackio", 1000, 0.5
    _project = "benchmark"

    def __init__(self, venv: Path) -> None:
        self._python = venv / "bin" / "python"

    def start(self, folder: Path) -> Server:
        port = free_port()
        show = f"import trackio; trackio.show(open_browser=False, server_port={port})"
        environ = {"TRACKIO_DIR": str(folder / "data"), "TRACKIO_WRITE_TOKEN": _TOKEN}
        return Server([str(self._python), "-c", show], folder, port, environ, "/version")

    def connect(self, server: Server) -> Http:
        return Http(server.port, {"X-Trackio-Write-Token": _TOKEN})

    def new_run(self, http: Http, name: str) -> str:
        return name

    def append(self, run: str, first: int, columns: Columns) -> list[Request]:
        logs = [
            {
                "project": self._project,
                "run": run,
                "metrics": {key: column[row] for key, column in columns.items()},
                "step": first + row,
                "log_id": f"{run}-{first + row}",
            }
            for row in range(_length(columns))
        ]
        return [_post("/api/bulk_log", {"logs": logs, "hf_token": None})]

    def curves(self, runs: Sequence[str], key: str) -> Request:
        asked = {"project": self._project, "runs": [{"run": run} for run in runs], "max_points": self.points}
        return _post("/api/get_logs_batch", asked)

    def first_page(self) -> Request | None:
        return _post("/api/get_runs_for_project", {"project": self._project})

    def sorted_page(self, key: str) -> Request | None:
        return None  # the browser sorts


def _post(path: str, body: Any) -> Request:
    return Request("POST", path, json.dumps(body).encode())


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values())))
