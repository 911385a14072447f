"""`--parity FILE.json`: what the tests here compare, as numbers that a gate can judge.

./dreamgate test tests/golden -k nature --parity nature.json
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.parity_log import ParityLog, reference_of

_LOG = pytest.StashKey[ParityLog]()
_JUDGED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--parity", type=Path, metavar="FILE.json", help="write every comparison with a reference there")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--parity") is not None:
        if config.getoption("numprocesses", None):
            raise pytest.UsageError("--parity wants all tests in one process: leave -n out")
        config.stash[_LOG] = ParityLog()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    log = item.config.stash.get(_LOG, None)
    if log is None:
        return (yield)
    with log.of_test(item.name, reference_of(item.path)):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    log = item.config.stash.get(_LOG, None)
    if log is not None and report.failed:
        log.failed(item.name, reference_of(item.path))
    elif log is not None and report.skipped:
        log.skipped(item.name, reference_of(item.path))
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    log = session.config.stash.get(_LOG, None)
    if log is None:
        return
    if exitstatus not in _JUDGED:
        log.failed(f"pytest ended with {int(exitstatus)}", "")
    log.write(session.config.getoption("--parity"))
