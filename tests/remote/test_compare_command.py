"""`dreamgate compare`: runs and groups beside a baseline, in a terminal."""

import json
from typing import Any

import pytest

from dreamer_core.cli.main import main
from dreamer_core.remote import Client
from tests.remote.conftest import TOKEN, RunningServer
from tests.remote.fakes import Serve, client_of, ok
from tests.remote.judged import KEY, scored

Captured = pytest.CaptureFixture[str]

VALUE: dict[str, Any] = {
    "median": 240.0,
    "low": 230.0,
    "high": 260.0,
    "relative": -0.5,
    "word": "worse",
    "now_share": None,
    "now_step": None,
    "why": "",
}
SAME: dict[str, Any] = {"same": True, "differs": ""}


def a_side(name: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    side = {"kind": "group", "id": f"id{name}", "name": name, "runs": ["a", "b"], "seeds": 2, "is_running": False}
    return {**side, "family": SAME, "testbed": SAME, "values": {KEY: {**VALUE, **value}}, **more}


def a_comparison(*sides: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "baseline": {"name": "cartpole", "version": 3, "seeds": 4, "flags": ["single_seed"]},
        "window": "env steps 3000..5000",
        "threshold_pct": 0.15,
        "metrics": [{"key": KEY, "direction": "higher", "baseline": 480.0}],
        "sides": list(sides),
        "bands": [],
        **more,
    }


def shown(serve: Serve, capsys: Captured, monkeypatch: pytest.MonkeyPatch, *sides: dict[str, Any], **more: Any) -> str:
    monkeypatch.setenv("COLUMNS", "200")
    serve(ok(a_comparison(*sides, **more)))
    assert main(["compare", "--group", "x"]) == 0
    return capsys.readouterr().out


def test_each_side_stands_below_the_baseline_with_a_sign_and_a_word(
    serve: Serve, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    better, even = {"word": "better", "relative": 0.25}, {"word": "close", "relative": 0.0}
    out = shown(serve, capsys, monkeypatch, a_side("one", {}), a_side("two", better), a_side("three", even))
    for text in ("cartpole v3 (single seed)", "eval/mean_return ↑", "480", "one (idone)", "230 … 260"):
        assert text in out, text
    for text in ("▼ worse -50.0%", "▲ better +25.0%", "≈ close +0.0%"):
        assert text in out, text


def test_a_running_side_says_where_it_is(serve: Serve, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"median": None, "low": None, "word": "unknown", "now_share": 0.25, "now_step": 2000.0}
    out = shown(serve, capsys, monkeypatch, a_side("one", {**value, "why": "not in the window yet"}))
    assert "not in the window yet, 25% of the baseline at step 2,000" in out


def test_what_differs_is_told_below_the_table(serve: Serve, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    why = "not comparable: family a of the baseline, b of the candidate; they differ in env [x] / y"
    family, testbed = {"same": False, "differs": why}, {"same": False, "differs": "cpu Xeon / EPYC"}
    side = a_side("one", {"word": "unknown", "why": why}, family=family, testbed=testbed)
    out = shown(serve, capsys, monkeypatch, side)
    assert f"one (idone): {why}" in out
    assert "one (idone): another testbed: cpu Xeon / EPYC" in out
    assert out.count("env [x] / y") == 1  # a cell says only that it is not comparable


def test_without_a_baseline_the_numbers_stand_alone(
    serve: Serve, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {"word": "unknown", "relative": None, "low": None}
    metrics = [{"key": KEY, "direction": "info", "baseline": None}]
    out = shown(
        serve, capsys, monkeypatch, a_side("one", nothing), baseline=None, metrics=metrics, window="the last 25 records"
    )
    assert "the last 25 records" in out
    assert "baseline " not in out.replace("beside the baseline", "")


def test_it_asks_for_what_was_said(serve: Serve, capsys: Captured) -> None:
    server = serve(ok(a_comparison(a_side("one", {"relative": "Infinity"}))))
    words = ["r1", "r2", "--group", "g1,g2", "--group", "g3", "--baseline", "cartpole@3", "--metrics", "a,b", "--json"]
    assert main(["compare", *words]) == 0
    assert dict(server.asked[0].url.params) == {
        "runs": "r1,r2",
        "groups": "g1,g2,g3",
        "metrics": "a,b",
        "baseline": "cartpole@3",
        "points": "0",
    }
    said = json.loads(capsys.readouterr().out)
    assert (said["type"], said["sides"][0]["values"][KEY]["relative"]) == ("comparison", "Infinity")


@pytest.mark.parametrize(("words", "baseline"), [([], None), (["--no-baseline"], "")])
def test_no_baseline_is_not_the_same_as_none_said(serve: Serve, words: list[str], baseline: str | None) -> None:
    server = serve(ok(a_comparison()))
    assert main(["compare", "r1", *words]) == 0
    assert server.asked[0].url.params.get("baseline") == baseline


def test_called_wrong_the_server_is_not_asked(serve: Serve, capsys: Captured) -> None:
    server = serve(ok({}))
    assert main(["compare", "--metrics", "a"]) == 2
    assert "say what to compare" in capsys.readouterr().err
    assert server.asked == []


def test_bands_come_where_they_are_asked_for() -> None:
    line = {"low": [1, None], "middle": [2, None], "high": [3, None]}
    bands = [{"key": KEY, "steps": [10, 20], "baseline": None, "sides": [line]}]
    found = client_of(lambda _: ok(a_comparison(bands=bands))).compare(["r"], points=2).bands
    assert (found[0].steps, found[0].sides[0].middle if found[0].sides[0] else ()) == ((10.0, 20.0), (2.0, None))


def test_a_real_server_compares_runs_with_their_baseline(
    shared_server: RunningServer, client: Client, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("DREAMGATE_TOKEN", TOKEN)
    monkeypatch.setenv("COLUMNS", "200")
    good, [less] = scored(client, [480, 490, 500, 470], "compared"), scored(client, [240], "compared less")
    client.bless("compared", runs=good, keys=[KEY])
    words = ["compare", less, "--baseline", "compared", "--metrics", KEY, "--server", shared_server.url]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "▼ worse -50.0%" in out
    assert f"({less})" in out
    bands = client.compare([less], baseline="compared", metrics=[KEY], points=10).bands
    assert bands[0].sides[0] is not None
    assert bands[0].sides[0].middle[-1] == 240


@pytest.mark.parametrize("columns", ["80", "200"])
def test_neither_a_metric_nor_an_id_is_shortened(
    serve: Serve, capsys: Captured, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    long = {"metrics": [{"key": "Loss/world_model_loss", "direction": "lower", "baseline": 2.5}]}
    side = {**a_side("smoke", {}), "id": "89p4gf5ndtc8"}
    side["values"] = {"Loss/world_model_loss": VALUE}
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as to a terminal
    serve(ok(a_comparison(side, **long)))
    assert main(["compare", "89p4gf5ndtc8"]) == 0
    out = capsys.readouterr().out
    assert "Loss/world_model_loss ↓" in out
    assert "(89p4gf5ndtc8)" in out
