"""The API's own description: every endpoint has a place, a sentence, and the one shape of errors."""

from typing import Any

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_endpoint_is_described_with_its_errors(client: TestClient) -> None:
    paths: dict[str, dict[str, dict[str, Any]]] = client.get("/api/v1/openapi.json").json()["paths"]
    found = {
        f"{method} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
        if path.startswith("/api/v1/")
    }
    assert len(found) > 40
    for label, operation in found.items():
        assert operation["tags"], label
        assert operation.get("description") or operation.get("summary"), label
        for status in ("4XX", "503"):
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorOut"}, (label, status)
