"""Numbers that are posted to a suite: with its start or later, as parity, records or summaries."""

from pathlib import Path

import pytest

from dreamer_core.cli.main import main
from tests.remote.judged import parity_suite
from tests.remote.suites_at_work import Captured, applied, parity

pytestmark = pytest.mark.usefixtures("suites_by_hand")


@pytest.mark.parametrize(("error", "code"), [(1e-7, 0), (1e-3, 1)])
def test_numbers_of_tests_are_posted_and_judged(at: str, tmp_path: Path, error: float, code: int) -> None:
    name = applied(at, tmp_path, parity_suite("with-parity"))
    first, second = parity(tmp_path, 0.0), parity(tmp_path, error, "more.json")
    posts = ["--post", f"tests={first}", "--post", f"tests={second}"]
    assert main(["suite", "run", name, "--wait", "--server", at, *posts]) == code


def test_numbers_can_be_posted_later(at: str, tmp_path: Path, capsys: Captured) -> None:
    name = applied(at, tmp_path, parity_suite("posted-later"))
    capsys.readouterr()
    assert main(["suite", "run", name, "--server", at]) == 0
    shown = capsys.readouterr()
    todo = f"dreamgate suite post {shown.out.strip()} tests=FILE.json --server {at}"
    assert f"scenario tests waits for numbers: {todo}" in shown.err
    post = ["suite", "post", shown.out.strip(), f"tests={parity(tmp_path, 0.0)}", "--server", at]
    assert main(post) == 0
    assert "posted to tests" in capsys.readouterr().out
    assert main([*post, "--json"]) in (0, 2)  # the same again; refused where it is judged already
    assert main(["suite", "show", shown.out.strip(), "--wait", "--server", at]) == 0


def test_records_and_summaries_are_posted_as_numbers(at: str, tmp_path: Path) -> None:
    gates = [{"name": "fast", "checks": [{"check": "floor", "key": "my/speed", "value": 10, "of": "last"}]}]
    scenario = {"name": "bench", "posted": True, "gates": [{"gate": "fast", "of": "posted"}]}
    name = applied(at, tmp_path, {"name": "posted-numbers", "gates": gates, "scenarios": [scenario]})
    summary, records = tmp_path / "a.json", tmp_path / "b.jsonl"
    summary.write_text('{"my/speed": 12.5}')
    records.write_text('{"my/speed": 3}\n\n{"my/speed": 11}\n')
    whole = tmp_path / "c.json"
    whole.write_text('{"numbers": [{"name": "c", "seed": 1, "records": [{"my/speed": 10}]}]}')
    posts = [word for file in (summary, records, whole) for word in ("--post", f"bench={file}")]
    assert main(["suite", "run", name, "--wait", "--server", at, *posts]) == 0
