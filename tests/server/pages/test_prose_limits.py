"""What people write may be as long in a form as in the API."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.database import Database
from server.runs.words import LONGEST_PROSE
from tests.server.factories import a_run
from tests.server.pages.faces import open_page

TEMPLATES = Path(__file__).parents[3] / "templates"


def test_every_field_for_prose_has_the_limit_of_the_api() -> None:
    fields = [field for file in TEMPLATES.rglob("*.html") for field in re.findall(r"<textarea[^>]*>", file.read_text())]
    limits = {limit for field in fields for limit in re.findall(r'maxlength="([^"]*)"', field)}
    assert limits == {"{{ longest_prose }}"}


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 422)])
def test_what_fits_into_the_form_of_a_run_is_taken(
    client: TestClient, database: Database, more: int, status: int
) -> None:
    with database.writing() as session:
        run = a_run(session).id
    assert f'maxlength="{LONGEST_PROSE}"' in open_page(client, f"/runs/{run}")
    text = "x" * (LONGEST_PROSE + more)
    assert client.patch(f"/api/v1/runs/{run}", json={"notes": text}).status_code == status
    remark = client.post(f"/api/v1/runs/{run}/annotations", json={"text": text})
    assert remark.status_code == (201 if status == 200 else 422)
