"""Suites as files: checked without a server, refused with their place, shipped and listed by name."""

import json
from pathlib import Path

import pytest
import yaml

from dreamer_core.cli.main import main
from dreamer_core.remote import Client
from tests.remote.fakes import Serve, ok
from tests.remote.judged import a_suite
from tests.remote.suites_at_work import Captured, applied

pytestmark = pytest.mark.usefixtures("suites_by_hand")


def test_files_are_checked_without_a_server(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(a_suite("mine")))
    assert main(["suite", "check", str(file), "cartpole"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{file}: mine v1, 1 scenario, 1 job",
        "cartpole: cartpole v2, 1 scenario, 8 jobs",
    ]
    assert main(["suite", "check", "gpu-main", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"] == 11


@pytest.mark.parametrize(
    ("text", "said"),
    [("name: [", "this is not YAML"), ("name: a\nscenarios: [{name: b}]\n", "scenarios[0].gates")],
)
def test_a_file_that_is_no_suite_is_refused_with_its_place(
    tmp_path: Path, capsys: Captured, text: str, said: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    assert main(["suite", "check", str(file)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"dreamgate: {file}: ")
    assert said in err


def test_a_name_that_is_neither_file_nor_shipped_is_refused(capsys: Captured) -> None:
    assert main(["suite", "check", "nobody"]) == 2
    assert "no file nobody, and the package has no such suite: cartpole, cpu-daily, gpu-main" in capsys.readouterr().err


def test_gates_that_nobody_uses_are_a_warning(at: str, tmp_path: Path, capsys: Captured) -> None:
    suite = a_suite("unused")
    applied(at, tmp_path, {**suite, "gates": [*suite["gates"], {"name": "forgotten", "checks": [{"check": "finite"}]}]})
    assert "unused: no scenario uses forgotten: use it, or delete it" in capsys.readouterr().err


def test_another_suite_under_the_same_version_is_refused(at: str, tmp_path: Path, capsys: Captured) -> None:
    applied(at, tmp_path, a_suite("versioned"))
    (tmp_path / "versioned.yaml").write_text(yaml.safe_dump(a_suite("versioned", question="why?")))
    assert main(["suite", "apply", str(tmp_path / "versioned.yaml"), "--server", at]) == 2
    assert "Give it version 2." in capsys.readouterr().err


def test_shipped_suites_are_applied_by_name_and_listed(at: str, client: Client, capsys: Captured) -> None:
    assert main(["suite", "apply", "cartpole", "cpu-daily", "gpu-main", "--json", "--server", at]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["name"] for one in found] == ["cartpole", "cpu-daily", "gpu-main"]
    assert client.get_suite("cartpole").source.startswith("shipped with dreamgate ")
    assert main(["suite", "list", "--server", at]) == 0
    assert "cartpole v2" in capsys.readouterr().out
    assert main(["suite", "list", "--json", "--server", at]) == 0
    assert "cpu-daily" in {json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()}


def test_what_is_shipped_is_listed_without_a_server(capsys: Captured) -> None:
    assert main(["suite", "list", "--shipped"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["cartpole", "cpu-daily", "gpu-main"]
    assert main(["suite", "list", "--shipped", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["name"] == "cartpole"


def test_a_server_without_suites_says_what_to_do(serve: Serve, capsys: Captured) -> None:
    serve(ok({"items": [], "next": None}))
    assert main(["suite", "list"]) == 0
    assert "dreamgate suite apply cpu-daily" in capsys.readouterr().out
