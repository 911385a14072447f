"""What is measured, for any tool: taking points in, drawing them, listing runs, and what the server itself takes."""

import math
import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from server_http import Http, Request
from server_process import Server
from server_tools import Columns, Tool

KEYS = [f"train/metric_{number}" for number in range(20)]
RECORDS = 50  # of 20 keys: a batch of 1,000 points
LOSS = "loss"
_AT_ONCE = 10_000  # records in one request while a series is filled


@dataclass(frozen=True)
class Bench:
    """One tool with its server."""

    tool: Tool
    server: Server
    http: Http

    def new_runs(self, count: int) -> list[str]:
        return [self.tool.new_run(self.http, f"run-{time.monotonic_ns()}-{number}") for number in range(count)]


def noise(count: int, seed: int = 0) -> list[float]:
    """A curve that falls, with noise in all its digits."""
    numbers = random.Random(seed)  # noqa: S311 - no secrets here
    return [100 * math.exp(-3 * place / count) + numbers.gauss(0, 1) for place in range(count)]


def take_in(bench: Bench, writers: int, batches: int) -> dict[str, float]:
    """Batches of 1,000 points, each writer with a run and a connection of its own."""
    runs = bench.new_runs(writers)
    work = [_batches(bench.tool, run, batches) for run in runs]
    connections = [bench.tool.connect(bench.server) for _ in runs]
    _warm(bench)
    before = bench.server.usage()
    seconds, times = _in_threads([_sender(http, part) for http, part in zip(connections, work, strict=True)])
    points = 1000 * batches * writers
    cpu = bench.server.usage().cpu_s - before.cpu_s
    return {
        "points_per_s": points / seconds,
        "cpu_ms_per_1000": 1e6 * cpu / points,
        "batch_p50_ms": 1000 * statistics.median(times),
        "batch_p99_ms": 1000 * _percentile(times, 0.99),
    }


def one_point(bench: Bench, count: int) -> dict[str, float]:
    """One point a request, answered when it is stored."""
    [run] = bench.new_runs(1)
    requests = [request for first in range(count) for request in bench.tool.append(run, first, {LOSS: [0.5]})]
    times = [bench.http.send(request).seconds for request in requests]
    return {"p50_ms": 1000 * statistics.median(times), "p99_ms": 1000 * _percentile(times, 0.99)}


@dataclass
class Series:
    """Runs with one long series each; the last of them goes on."""

    runs: list[str]
    points: int


def fill(bench: Bench, runs: int, points: int) -> Series:
    made = bench.new_runs(runs)
    values = noise(min(points, 1_000_000))
    for run in made:
        for first in range(0, points, _AT_ONCE):
            part = [values[place % len(values)] for place in range(first, min(points, first + _AT_ONCE))]
            for request in bench.tool.append(run, first, {LOSS: part}):
                bench.http.send(request)
    return Series(made, points)


def draw(bench: Bench, series: Series, repeats: int) -> dict[str, float]:
    """One more point before each look, so that no answer is an old one."""
    times, size = [], 0
    for _ in range(repeats):
        for request in bench.tool.append(series.runs[-1], series.points, {LOSS: [0.5]}):
            bench.http.send(request)
        series.points += 1
        answer = bench.http.send(bench.tool.curves(series.runs, LOSS))
        times.append(answer.seconds)
        size = len(answer.body)
    return {"p50_ms": 1000 * statistics.median(times), "max_ms": 1000 * max(times), "kB": size / 1000}


def many_runs(bench: Bench, count: int) -> None:
    """Runs that have logged one record, made by four at once."""

    def make(numbers: range) -> Callable[[], list[float]]:
        def work() -> list[float]:
            http = bench.tool.connect(bench.server)
            for number in numbers:
                run = bench.tool.new_run(http, f"listed-{number}")
                for request in bench.tool.append(run, 0, {LOSS: [math.sin(number)]}):
                    http.send(request)
            return []

        return work

    _in_threads([make(range(start, count, 4)) for start in range(4)])


def ask(bench: Bench, request: Request | None, repeats: int) -> dict[str, float] | None:
    if request is None:
        return None
    answers = [bench.http.send(request) for _ in range(repeats)]
    return {
        "p50_ms": 1000 * statistics.median(answer.seconds for answer in answers),
        "kB": len(answers[-1].body) / 1000,
    }


def _batches(tool: Tool, run: str, count: int) -> list[Request]:
    """Written before the clock starts: what is measured is the server."""
    series = {key: noise(RECORDS * count, seed) for seed, key in enumerate(KEYS)}
    requests = []
    for first in range(0, RECORDS * count, RECORDS):
        columns: Columns = {key: values[first : first + RECORDS] for key, values in series.items()}
        requests += tool.append(run, first, columns)
    return requests


def _warm(bench: Bench) -> None:
    [run] = bench.new_runs(1)
    for request in _batches(bench.tool, run, 3):
        bench.http.send(request)


def _sender(http: Http, requests: Sequence[Request]) -> Callable[[], list[float]]:
    return lambda: [http.send(request).seconds for request in requests]


def _in_threads(work: Sequence[Callable[[], list[float]]]) -> tuple[float, list[float]]:
    """How long it took, and what each returned, together. The first error of a thread is raised here."""
    found: list[float] = []
    errors: list[Exception] = []

    def run(each: Callable[[], list[float]]) -> None:
        try:
            found.extend(each())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in work]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - start, found


def _percentile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Of several rounds, by name."""
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
