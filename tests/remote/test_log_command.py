"""`dreamgate log`: what it asks, what it prints, what it writes."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dreamer_core.cli.main import main
from tests.remote.fakes import Serve, ok, refusal

EXPERIMENT = {
    "id": "q4wz7kd2m9xc",
    "name": "horizon",
    "question": "",
    "runs": 2,
    "created_at": "2026-11-21T10:00:00.000+00:00",
    "deleted_at": None,
}
TEXT = "# horizon\n\nä → b\n"


def found(*names: str) -> httpx2.Response:
    items: list[dict[str, Any]] = [{**EXPERIMENT, "name": name, "id": f"id{i}"} for i, name in enumerate(names)]
    return ok({"items": items, "next": None})


def markdown() -> httpx2.Response:
    return httpx2.Response(200, text=TEXT, headers={"Content-Type": "text/markdown; charset=utf-8"})


def test_it_prints_the_document_of_the_experiment_with_that_name(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(found("horizon 2", "horizon"), markdown())
    assert main(["log", "horizon"]) == 0
    assert capsys.readouterr().out == TEXT
    assert server.asked[0].url.params["q"] == "horizon"
    assert server.asked[1].url.path == "/api/v1/experiments/id1/log"
    assert server.asked[1].url.params["format"] == "markdown"


def test_an_id_does_too(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    server = serve(found(), ok(EXPERIMENT), markdown())
    assert main(["log", "q4wz7kd2m9xc"]) == 0
    assert server.asked[2].url.path == "/api/v1/experiments/q4wz7kd2m9xc/log"
    assert capsys.readouterr().out == TEXT


def test_it_writes_a_file(serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serve(found("horizon"), markdown())
    file = tmp_path / "docs" / "horizon.md"
    assert main(["log", "horizon", "--output", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == TEXT
    assert capsys.readouterr().out == f"{file}: 20 bytes of Markdown\n"


def test_a_program_gets_the_values(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(found("horizon"), ok({"experiment": {"name": "horizon"}, "groups": []}))
    assert main(["log", "horizon", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"type": "log", "experiment": {"name": "horizon"}, "groups": []}


def test_with_a_file_a_program_gets_where_it_is(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(found("horizon"), markdown())
    file = tmp_path / "log.md"
    assert main(["log", "horizon", "--output", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "type": "file",
        "path": str(file),
        "format": "markdown",
        "bytes": 20,
    }


def test_an_experiment_that_there_is_not_is_told(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(found("horizon 2"), refusal(404, "not_found", "There is no experiment 'horizon'."))
    assert main(["log", "horizon"]) == 2
    assert "There is no experiment 'horizon'." in capsys.readouterr().err


def test_a_folder_is_no_file_to_write(serve: Serve, tmp_path: Path) -> None:
    server = serve(markdown())
    assert main(["log", "horizon", "--output", str(tmp_path)]) == 2
    assert server.asked == []
