"""The client's commands as people and programs type them: what they ask, what they print, how they exit."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dreamer_core.cli.main import main
from tests.remote.fakes import REFUSED, Serve, a_job, a_run, ok, refusal, sent


def test_cancel_goes_on_behind_one_that_is_refused(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(refusal(409, "conflict", "It has succeeded already."), ok(a_job("two", state="stopping")))
    assert main(["cancel", "one", "two"]) == 2
    shown = capsys.readouterr()
    assert shown.out == "two stopping\n"
    assert shown.err == "dreamgate: one: It has succeeded already.\n"


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (["cancel", "one"], "/api/v1/jobs/one/cancel", None),
        (["retry", "one"], "/api/v1/jobs/one/retry", None),
        (["resume", "one", "steps=8000"], "/api/v1/jobs/one/resume", {"changes": ["steps=8000"]}),
    ],
)
def test_what_is_asked_of_a_job_goes_where_it_belongs(serve: Serve, words: list[str], path: str, body: Any) -> None:
    server = serve(ok(a_job("one")))
    assert main(words) == 0
    assert (server.asked[0].method, server.asked[0].url.path) == ("POST", path)
    assert (sent(server) if server.asked[0].content else None) == body


def test_what_a_terminal_cannot_show_does_not_end_a_log(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(httpx2.Response(200, text="first\nsecond ä\n"))
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    assert main(["logs", "one"]) == 0
    assert shown.getvalue() == b"first\nsecond \\xe4\n"


def test_logs_are_printed_as_they_are(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    server = serve(httpx2.Response(200, text="first\n[bold]second ä\n"))
    assert main(["logs", "one", "--tail", "2"]) == 0
    assert capsys.readouterr().out == "first\n[bold]second ä\n"
    assert server.asked[0].url.params["tail"] == "2"


CURVES = {
    "x": "env_steps",
    "curves": [
        {
            "run": "one",
            "key": "Loss/total",
            "points": 4,
            "x": [0, 10],
            "last": [2.0, "NaN"],
            "min": [1.0, None],
            "max": [3.0, None],
            "count": [3, 1],
            "non_finite": [0, 1],
        }
    ],
    "missing": [{"run": "two", "key": "Loss/total"}],
}


def test_curves_are_drawn_with_their_numbers(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    server = serve(ok(CURVES))
    assert main(["curves", "one", "two", "--keys", "Loss/total"]) == 0
    shown = capsys.readouterr()
    assert "▄!" in shown.out
    assert "dreamgate: run two has no 'Loss/total'" in shown.err
    assert sent(server) == {"runs": ["one", "two"], "keys": ["Loss/total"], "points": 40, "x": "env_steps"}


def test_curves_for_programs_keep_what_is_missing_and_what_is_not_finite(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(ok(CURVES))
    assert main(["curves", "one", "--keys", "Loss/total", "--csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "run,key,x,last,min,max,count,non_finite",
        "one,Loss/total,0.0,2.0,1.0,3.0,3,0",
        "one,Loss/total,10.0,nan,,,1,1",
    ]
    serve(ok(CURVES))
    assert main(["curves", "one", "--keys", "Loss/total", "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["last"] == [2.0, "NaN"]


def test_curves_without_keys_are_all_that_there_are(serve: Serve) -> None:
    key = {"points": 1, "last": 1, "last_step": 1, "min": 1, "max": 1, "non_finite": 0, "first_non_finite": None}
    keys = [{"key": f"k{number:02}", **key} for number in range(60)]
    server = serve(ok({"items": keys}), ok({**CURVES, "missing": []}))
    assert main(["curves", "one"]) == 0
    assert [len(sent(server, number)["keys"]) for number in (1, 2)] == [50, 10]


KEYS = {"points": 1, "last": 1, "last_step": 1, "min": 1, "max": 1, "non_finite": 0, "first_non_finite": None}


def test_curves_of_a_key_that_no_run_has_name_the_nearest(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(ok({**CURVES, "curves": []}), ok({"items": [{"key": "Loss/total", **KEYS}]}))
    assert main(["curves", "one", "--keys", "Loss/totel"]) == 2
    shown = capsys.readouterr()
    assert shown.err == "dreamgate: --keys: run one has no metric 'Loss/totel'; did you mean Loss/total?\n"
    assert shown.out == ""


def test_an_export_of_an_unknown_key_writes_nothing(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(ok({"items": [{"key": "Loss/total", **KEYS}]}))
    assert main(["export", "one", "--output", str(tmp_path / "one.csv"), "--keys", "Loss/total,Los/total"]) == 2
    assert "did you mean Loss/total?" in capsys.readouterr().err
    assert [request.url.path for request in server.asked] == ["/api/v1/runs/one/keys"]
    serve(ok({"items": []}))
    assert main(["export", "one", "--output", str(tmp_path / "one.csv"), "--keys", "a"]) == 2
    assert "has no numbers yet" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_export_is_of_the_kind_that_the_file_says(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(httpx2.Response(200, content=b"PAR1"))
    assert main(["export", "one", "--output", str(tmp_path / "one.parquet")]) == 0
    assert server.asked[0].url.params["format"] == "parquet"
    assert (tmp_path / "one.parquet").read_bytes() == b"PAR1"
    assert capsys.readouterr().out.endswith("one.parquet: 4 bytes of parquet\n")


def test_runs_are_listed_page_after_page_up_to_the_limit(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    first = {"items": [a_run(id=f"run{number}") for number in range(200)], "next": "more"}
    second = {"items": [a_run(id=f"run{number}") for number in range(200, 250)], "next": "more"}
    server = serve(ok(first), ok(second))
    assert main(["runs", "--limit", "250", "--json", "--state", "failed", "--state", "running", "--sort=-seed"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in lines] == [f"run{number}" for number in range(250)]
    assert server.asked[0].url.params.get_list("state") == ["failed", "running"]
    assert [request.url.params["limit"] for request in server.asked] == ["200", "50"]
    assert server.asked[1].url.params["cursor"] == "more"


def test_a_list_of_runs_shows_what_people_ask_for(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    serve(ok({"items": [a_run(name="[red]a name")], "next": None}))
    assert main(["runs", "--metrics", "Loss/total"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("k3x9c2m5q7dw", "[red]a name", "running", "40 40%", "NaN", "ago"))


@pytest.mark.parametrize(
    "words",
    [
        ["submit", "preset=cartpole"],
        ["runs"],
        ["wait", "one"],
        ["logs", "one"],
        ["logs", "one", "--follow"],
        ["curves", "one"],
        ["export", "one", "--output", "nothing.csv"],
        ["cancel", "one"],
        ["retry", "one"],
        ["resume", "one"],
    ],
    ids=" ".join,
)
def test_a_server_that_is_not_there_is_one_sentence_and_exit_code_4(
    serve: Serve, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    serve(REFUSED)
    assert main(words) == 4
    error = capsys.readouterr().err
    assert error.startswith("dreamgate: http://server.test cannot be reached (connection refused). Start a server with")
    assert error.count("\n") == 1


def test_a_wrong_token_is_one_sentence(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(refusal(401, "unauthorized", "The token is wrong."))
    assert main(["runs"]) == 2
    assert "refuses the token. Set DREAMGATE_TOKEN" in capsys.readouterr().err


def test_the_server_is_the_one_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--server", "not an address"]) == 2
    assert "a server's address looks like" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["submit", "runs", "wait", "logs", "curves", "export", "cancel", "retry", "resume"])
def test_the_help_of_each_command_fits_a_screen(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert len(capsys.readouterr().out.splitlines()) <= 32
