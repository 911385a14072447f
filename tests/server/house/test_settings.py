"""What the environment says, and what is made of it where it says nothing or nonsense."""

from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from server.settings import Settings


def test_nothing_said_means_one_person_on_one_machine() -> None:
    settings = Settings.read({})
    assert settings.database_url == f"sqlite:///{Path('dreamgate-data').absolute()}/dreamgate.db"
    assert (settings.host, settings.port, settings.broker_url, settings.token) == ("127.0.0.1", 8420, None, None)
    assert settings.is_local
    assert settings.trusted_hosts == ("127.0.0.1", "localhost", "::1")


def test_an_empty_variable_says_nothing() -> None:
    names = ("DATA", "DATABASE_URL", "BROKER_URL", "ARTIFACTS", "TOKEN", "HOST", "PORT", "LEASE_S", "TRUSTED_HOSTS")
    assert Settings.read({f"DREAMGATE_{name}": "" for name in names}) == Settings.read({})


@pytest.mark.parametrize(("said", "token"), [("secret\n", "secret"), (" \n", None)])
def test_the_newline_of_a_file_is_no_part_of_the_token(said: str, token: str | None) -> None:
    assert Settings.read({"DREAMGATE_TOKEN": said}).token == token


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_is_always_spoken_to_through_psycopg(scheme: str) -> None:
    settings = Settings.read({"DREAMGATE_DATABASE_URL": f"{scheme}://me@db/dreamgate"})
    assert settings.database_url == "postgresql+psycopg://me@db/dreamgate"


def test_a_server_for_others_answers_to_any_name_until_told_its_own() -> None:
    open_to_all = Settings.read({"DREAMGATE_HOST": "0.0.0.0"})
    assert open_to_all.trusted_hosts == ("*",)
    assert not open_to_all.is_local


def test_its_own_machine_may_always_ask() -> None:
    told = Settings.read({"DREAMGATE_HOST": "0.0.0.0", "DREAMGATE_TRUSTED_HOSTS": "Gate.example, *.lab.example,"})
    assert told.trusted_hosts == ("gate.example", "*.lab.example", "127.0.0.1", "localhost", "::1")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("DREAMGATE_PORT", "http", "must be a number, got 'http'"),
        ("DREAMGATE_PORT", "70000", "must be a port from 0 to 65535, got 70000"),
        ("DREAMGATE_PORT", "80.5", "must be a port"),
        ("DREAMGATE_LEASE_S", "0", "from 1 to a million"),
        ("DREAMGATE_LEASE_S", "nan", "from 1 to a million"),
        ("DREAMGATE_TIMER_S", "-1", "from 0 to a million"),
        ("DREAMGATE_DATABASE_URL", "mysql://me:secret@db/x", "must begin with sqlite:/// or postgresql://, got mysql:"),
    ],
)
def test_nonsense_is_refused_and_quoted(name: str, value: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        Settings.read({name: value})
    assert name in str(caught.value)
    assert "secret" not in str(caught.value)
