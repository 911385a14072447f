"""Tables in a narrow terminal and in a pipe: an id can always be copied from one."""

import sys

import pytest

from dreamer_core.cli import tables
from dreamer_core.cli.main import main
from tests.remote.fakes import Serve, a_run, ok

KEY = "Loss/a_metric_with_quite_a_long_name"


def runs(*ids: str) -> dict[str, object]:
    return {
        "items": [a_run(id=run_id, name="a name of many words that needs its place") for run_id in ids],
        "next": None,
    }


def in_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    from rich.console import Console

    def console() -> Console:
        return Console(file=sys.stdout, force_terminal=True, color_system=None, width=columns)

    monkeypatch.setattr(tables, "make_console", console)


def test_a_pipe_gets_every_column_whole(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(ok(runs("k3x9c2m5q7dw")))
    assert main(["runs", "--metrics", KEY]) == 0
    shown = capsys.readouterr()
    assert all(word in shown.out for word in ("k3x9c2m5q7dw", "a name of many words that needs its place", KEY, "ago"))
    assert shown.err == ""


@pytest.mark.parametrize("columns", [60, 80])
def test_a_narrow_terminal_loses_columns_and_no_part_of_an_id(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    in_a_terminal(monkeypatch, columns)
    serve(ok(runs("k3x9c2m5q7dw", "k3x9c2m5q7dv")))
    assert main(["runs"]) == 0
    shown = capsys.readouterr()
    assert all(run_id in shown.out for run_id in ("k3x9c2m5q7dw", "k3x9c2m5q7dv"))
    assert "…" not in shown.out
    assert "too narrow for" in shown.err


def test_curves_keep_their_keys_apart(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_terminal(monkeypatch, 80)
    keys = ("Loss/value_loss", "Loss/value_replay_loss")
    many = {"x": [0] * 20, "last": [123.456] * 20, "min": [1] * 20, "max": [3] * 20, "count": [3] * 20}
    one = {"run": "k3x9c2m5q7dw", "points": 400, "non_finite": [0] * 20, **many}
    serve(ok({"x": "env_steps", "missing": [], "curves": [{**one, "key": key} for key in keys]}))
    assert main(["curves", "k3x9c2m5q7dw", "--keys", ",".join(keys)]) == 0
    shown = capsys.readouterr().out
    assert all(f" {key} " in shown for key in keys)
