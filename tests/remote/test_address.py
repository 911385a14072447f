"""Where the client looks for the server and for what opens it."""

from pathlib import Path

import pytest

from dreamer_core.remote.address import find_server, find_token, is_here

HERE, AWAY = "http://127.0.0.1:8420", "https://team.example"


def test_what_is_said_wins_over_the_environment_and_that_over_the_default() -> None:
    environ = {"DREAMGATE_SERVER": "http://other:1/"}
    assert find_server("http://mine:2", environ) == "http://mine:2"
    assert find_server(None, environ) == "http://other:1"
    assert find_server(None, {}) == "http://127.0.0.1:8420"


def test_a_server_on_this_machine_is_opened_by_the_token_in_its_data_folder(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    environ = {"DREAMGATE_DATA": str(tmp_path)}
    assert find_token(HERE, None, environ) == "secret"
    assert find_token(HERE, None, {**environ, "DREAMGATE_TOKEN": "said"}) == "said"
    assert find_token(HERE, "given", environ) == "given"


def test_the_token_of_this_machine_is_not_shown_to_another_one(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    assert find_token(AWAY, None, {"DREAMGATE_DATA": str(tmp_path)}) is None


def test_without_a_data_folder_there_is_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_token(HERE, None, {}) is None


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:1", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:8420", True),
        ("http://127.example.org", False),
        ("http://10.0.0.1", False),
    ],
)
def test_this_machine_is_known_by_its_names(url: str, here: bool) -> None:
    assert is_here(url) is here
