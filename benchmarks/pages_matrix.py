"""How long the gate matrix takes, from the request to the last byte: by default 50 suites on 50 commits.

    python -m benchmarks.pages_matrix [--suites 50] [--commits 50] [--runs 20000] [--rounds 20]

The application runs in this process on a SQLite file, without a network. Where others use the machine too, the time of
one core says more than the clock. `--runs` is how many suite runs there are altogether: those of older commits are in
the table, and not in the matrix.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import event, insert
from starlette.testclient import TestClient

from server import migrate
from server.app import build_app
from server.database import Database
from server.files.store import Store
from server.house import House
from server.ids import new_id
from server.queue import NoBroker
from server.settings import Settings
from server.tables import Suite, SuiteRun

TOKEN = "a-token-for-a-benchmark"  # noqa: S105 - of a server that lives as long as this
VERDICTS = ("pass", "pass", "pass", "improved", "fail", "inconclusive", "no_data", "error")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suites", type=int, default=50)
    parser.add_argument("--commits", type=int, default=50)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = _house(Path(folder))
        _fill(house.database, args.suites, args.commits, args.runs)
        sys.stdout.write(_measure(house, args.rounds) + "\n")
        house.database.close()


def _house(data: Path) -> House:
    url = f"sqlite:///{data / 'dreamgate.db'}"
    database = Database(url)
    migrate.upgrade(database)
    settings = Settings(
        data=data, database_url=url, broker_url=None, artifacts_url=str(data / "artifacts"), token=TOKEN, timer_s=0
    )
    return House(settings=settings, database=database, store=Store(settings.artifacts_url), wake_ups=NoBroker())


def _fill(database: Database, suites: int, commits: int, runs: int) -> None:
    """Round after round over all suites: each commit is followed by the next."""
    body = {"scenarios": [{"name": "cart", "words": ["preset=cartpole"], "gates": [{"gate": "floor"}]}]}
    names = [f"suite-{number:02}" for number in range(suites)]
    rows = [
        {
            "id": new_id(),
            "suite": names[number % suites],
            "suite_version": 1,
            "state": "finished",
            "verdict": VERDICTS[number % len(VERDICTS)],
            "reason": "",
            "commit": f"{number // suites:012x}",
            "branch": "main",
            "trigger": "ci",
            "who": "",
            "created_at": 1_700_000_000.0 + number,
            "body": body,
            "posted": {},
            "stopped": {},
        }
        for number in range(max(runs, suites * commits))
    ]
    with database.writing() as session:
        made = [{"name": name, "version": 1, "created_at": 0.0, "source": "", "body": body} for name in names]
        session.connection().execute(insert(Suite), made)
        session.connection().execute(insert(SuiteRun), rows)


def _measure(house: House, rounds: int) -> str:
    asked: list[str] = []
    event.listen(house.database.engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"}
    took: list[float] = []
    with TestClient(build_app(house), headers=headers) as client:
        answer = client.get("/suites")  # the first one compiles the templates
        before = time.process_time()
        for _ in range(rounds):
            asked.clear()
            start = time.perf_counter()
            answer = client.get("/suites")
            took.append(1000 * (time.perf_counter() - start))
        cpu = 1000 * (time.process_time() - before) / rounds
    cells = answer.text.count('class="verdict" data-verdict')
    queries = sum(each.startswith("SELECT") for each in asked)
    size = f"{cells} cells, {len(answer.content) / 1024:.0f} KiB, {queries} queries"
    spread = f"median {statistics.median(took):.0f} ms, fastest {min(took):.0f} ms, slowest {max(took):.0f} ms"
    return f"{size}: {spread} of {rounds}; {cpu:.0f} ms of one core each"


if __name__ == "__main__":
    main()
