"""A program that ends without having closed its sink: really a program, and really a server."""

import os
import subprocess
import sys
import time

import pytest

from dreamer_core.remote import Client
from tests.remote.conftest import TOKEN, RunningServer

PROGRAM = """
import os, sys
from dreamer_core.remote import Client, ServerSink

sink = ServerSink(Client(), sys.argv[1], every_s=60)
for step in range(50):
    sink.write({"env_steps": step})
"""
NOWHERE = "http://127.0.0.1:9"


def end(url: str, run_id: str, last_words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + last_words, run_id],
        env=os.environ | {"DREAMGATE_SERVER": url, "DREAMGATE_TOKEN": TOKEN},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("last_words", "code"), [("", 0), ("sys.exit(3)", 3), ("raise RuntimeError", 1)])
def test_what_was_written_last_arrives_all_the_same(
    client: Client, shared_server: RunningServer, last_words: str, code: int
) -> None:
    run = client.create_run("unclosed")
    assert end(shared_server.url, run.id, last_words).returncode == code
    assert [record["env_steps"] for record in client.records(run.id).records] == list(range(50))


def test_a_forked_child_leaves_its_parents_records_alone(client: Client, shared_server: RunningServer) -> None:
    run = client.create_run("unclosed")
    started = time.monotonic()
    done = end(shared_server.url, run.id, "if not (child := os.fork()): sys.exit()\nos.waitpid(child, 0)")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - started < 10
    assert client.records(run.id).total == 50


def test_without_a_server_it_is_told_how_much_is_missing_and_the_program_ends() -> None:
    done = end(NOWHERE, "k3x9c2m5q7dw", "import dreamer_core.remote.sink as s; s._AT_EXIT_S = 0.5")
    assert done.returncode == 0
    assert "50 records of run k3x9c2m5q7dw did not reach" in done.stderr
