"""`dreamgate doctor` looks at every part, changes nothing, and ends with 1 where something fails."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from dreamer_core.cli.main import main
from server.cli import machine_checks
from server.cli.doctor import PARTS
from server.cli.finding import Finding, look
from server.cli.house_checks import house_checks
from server.database import Database
from server.migrate import upgrade
from server.settings import Settings
from tests.server.house.processes import Command, get, wait_for

SOON = ("data", "database", "broker", "server", "worker", "git")


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    for name in [name for name in os.environ if name.startswith("DREAMGATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DREAMGATE_PORT", free_port())

    def ask(*words: str) -> tuple[int, dict[str, dict[str, str]]]:
        code = main(["doctor", "--json", "--data", str(tmp_path / "data"), *words])
        return code, {finding["part"]: finding for finding in json.loads(capsys.readouterr().out)}

    return ask


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return str(found.getsockname()[1])


def test_a_fresh_machine_is_well_and_stays_untouched(doctor: Any, tmp_path: Path) -> None:
    code, found = doctor("--only", *SOON)
    assert code == 0
    assert {part: finding["state"] for part, finding in found.items() if part not in ("broker", "git")} == {
        "data": "ok",
        "database": "ok",
        "server": "warn",
        "worker": "warn",
    }
    assert "not made yet" in found["database"]["words"]
    assert list(tmp_path.iterdir()) == []


def test_strictly_a_warning_is_a_failure(doctor: Any) -> None:
    assert doctor("--only", "server")[0] == 0
    assert doctor("--only", "server", "--strict")[0] == 1


def test_a_database_that_is_away_fails_without_its_password(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMGATE_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/dreamgate")
    code, found = doctor("--only", "database")
    assert (code, found["database"]["state"]) == (1, "fail")
    assert "secret" not in json.dumps(found)


def test_an_old_database_fails_and_the_remedy_is_named(doctor: Any, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'data' / 'dreamgate.db'}")
    upgrade(database)
    assert doctor("--only", "database")[1]["database"]["state"] == "ok"
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    database.close()
    code, found = doctor("--only", "database")
    assert (code, found["database"]["todo"]) == (1, "Run `dreamgate migrate`.")


def test_a_broker_that_was_named_and_is_dead_fails(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMGATE_BROKER_URL", "redis://127.0.0.1:1/0")
    code, found = doctor("--only", "broker")
    assert (code, found["broker"]["state"]) == (1, "fail")


def test_a_data_folder_that_cannot_be_written_to_fails(doctor: Any) -> None:
    code, found = doctor("--only", "data", "--data", "/proc/dreamgate")
    assert (code, found["data"]["state"]) == (1, "fail")


def test_somebody_else_on_our_port_is_told_apart_from_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = Settings.read({"DREAMGATE_PORT": str(other.getsockname()[1]), "DREAMGATE_DATA": str(tmp_path)})
        silent = house_checks(settings, "http://127.0.0.1:1")["server"]()
    assert silent.state == "warn"
    assert "is taken" in silent.words


def test_missing_page_scripts_fail(doctor: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DREAMGATE_ASSETS", str(tmp_path))
    code, found = doctor("--only", "scripts")
    assert (code, found["scripts"]["state"]) == (1, "fail")


def test_a_machine_may_be_made_for_one_of_server_and_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "_SERVER", ("no_such_package",))
    found = machine_checks.machine_checks()["packages"]()
    assert (found.state, found.words) == ("warn", "the server lacks no_such_package")


def test_a_check_that_breaks_is_a_finding() -> None:
    def broken() -> Finding:
        raise RuntimeError("oops")

    assert look("git", broken) == Finding("git", "fail", "RuntimeError: oops")


def test_people_get_a_line_for_each_part(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["doctor", "--data", str(tmp_path), "--only", "python", "data"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", "python"], ["ok", "data"]]
    assert set(PARTS) > set(SOON)


def test_a_running_server_is_seen(doctor: Any, tmp_path: Path) -> None:
    with Command("serve", "--data", "data", "--port", "0", folder=tmp_path) as serve:
        url = serve.first_line().split()[1].partition("/login")[0]
        wait_for(lambda: get(f"{url}/health"))
        code, found = doctor("--only", "server", "worker", "--port", url.rpartition(":")[2])
    assert code == 0
    assert found["server"]["state"] == "ok"
    assert found["worker"]["words"] == "none is online, jobs stay queued"
