"""What is written for people with a trainer of their own is run, word by word, against a real server."""

import inspect
import re
import textwrap
from pathlib import Path

import pytest

from dreamer_core.remote import Client, RunFilter, sink
from tests.remote.conftest import TOKEN, RunningServer

PAGE = Path(__file__).parents[2] / "docs" / "foreign-trainers.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)


@pytest.fixture
def _server_is_known(shared_server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMGATE_SERVER", shared_server.url)
    monkeypatch.setenv("DREAMGATE_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_server_is_known")
def test_the_page_for_foreign_trainers_works_from_top_to_bottom(client: Client, tmp_path: Path) -> None:
    for number, block in enumerate(BLOCKS):
        exec(compile(block, f"block {number} of {PAGE.name}", "exec"), {})
    failed, succeeded = client.list_runs(RunFilter(experiment="my experiment")).items
    assert (succeeded.state, succeeded.name, client.records(succeeded.id).total) == ("succeeded", "a first try", 1000)
    assert (failed.state, failed.error) == ("failed", "the loss is not finite")
    assert len((tmp_path / "numbers.csv").read_text().splitlines()) == 1001


@pytest.mark.usefixtures("_server_is_known")
def test_the_example_in_the_docstring_works(client: Client) -> None:
    example = textwrap.dedent(inspect.getdoc(sink).partition("\n\n")[2])  # type: ignore[union-attr]
    exec(compile(example.replace("my experiment", "from the docstring"), "docstring", "exec"), {})
    [run] = client.list_runs(RunFilter(experiment="from the docstring")).items
    assert (run.state, client.records(run.id).total) == ("succeeded", 1000)
