"""Every endpoint, with whatever its own description allows and forbids: it answers as described, and never breaks.

The requests go through a real server over loopback to a database that holds one of each thing. What is drawn is the
same in every run. The streams are left out, since they do not end; tests/server/live has them.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, CheckFunction, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from server.app import build_app, make_house
from server.configs.estimates import Estimate, Estimates
from server.house import House
from server.settings import Settings
from tests.fuzz.known import LEASED, VALUES, fill, send
from tests.server.conftest import TOKEN
from tests.server.live.serving import served

AnyCase = Case[Any]
Operation = APIOperation[Any, Any, Any, Any]

pytestmark = pytest.mark.slow

EXAMPLES = 20  # of each kind and endpoint
LONGEST = 4000  # of what an address says, before each character becomes up to twelve
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
CHECKS: list[CheckFunction] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def operations() -> dict[str, Operation]:
    nowhere = Settings(
        data=Path("nowhere"), database_url="sqlite:///", broker_url=None, artifacts_url="nowhere", token=TOKEN
    )
    schema = schemathesis.openapi.from_dict(build_app(make_house(nowhere)).openapi())
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {operation.label: operation for operation in found if not operation.path.endswith("/live")}


OPERATIONS = operations()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    fill(house.database)
    quick = replace(house, estimates=Estimates(lambda file: Estimate(None, "Nobody waits for it here.")))
    with served(quick) as site:
        send(site.address, HEADERS)
        yield site.address


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_the_description_allows_is_answered_as_described(address: str, label: str) -> None:
    _try(OPERATIONS[label].as_strategy(GenerationMode.POSITIVE), address)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is refused never reaches the database
@pytest.mark.parametrize("label", OPERATIONS)
def test_what_the_description_forbids_is_answered_as_described(address: str, label: str) -> None:
    try:
        _try(OPERATIONS[label].as_strategy(GenerationMode.NEGATIVE), address)
    except Unsatisfiable:
        pytest.skip("there is nothing that it forbids")


def _try(cases: st.SearchStrategy[AnyCase], address: str) -> None:
    session = requests.Session()
    session.trust_env = False

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # shrinking would ask a server that has changed meanwhile
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, data=st.data())
    def check(case: AnyCase, data: st.DataObject) -> None:
        # What uvicorn refuses before the application: control characters in a header, addresses without end.
        assume(all(str(value).isprintable() for value in case.headers.values()))
        assume(len(repr((case.path_parameters, case.query))) < LONGEST)
        _name_what_is_there(case, data)
        headers = HEADERS | (LEASED if data.draw(st.booleans()) else {})
        try:
            response = case.call(base_url=address, session=session, headers=headers, timeout=30)
        except requests.RequestException:  # the server had just closed the idle connection that this one took
            response = case.call(base_url=address, session=session, headers=headers, timeout=30)
        assert response.status_code < 500, response.text
        case.validate_response(response, checks=CHECKS)

    with session:
        check()


def _name_what_is_there(case: AnyCase, data: st.DataObject) -> None:
    """Most of the time; else what was drawn stays, which names nothing that there is."""
    parts: list[Any] = [case.path_parameters, case.query, case.body]
    for part in parts:
        for name in sorted(VALUES.keys() & part.keys()) if isinstance(part, dict) else ():
            known = data.draw(st.sampled_from([*VALUES[name], None]))
            part[name] = part[name] if known is None else known
