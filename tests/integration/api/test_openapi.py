"""The schema is complete and true: generated without a warning, and every answer to whatever is sent fits it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from rest_framework.test import APIClient
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from apps.access.contracts import Role
from apps.common.throttling import WindowThrottle
from tests.integration.api.conftest import user_of
from tests.world import World
from trading_system.api import OLDER_VIEWS, VIEWS

EXAMPLES = {GenerationMode.POSITIVE: 3, GenerationMode.NEGATIVE: 5}
"""How many requests that fit the schema, and that break it, each operation gets."""
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    return document


def test_schema_is_generated_without_a_warning(tmp_path: Any) -> None:
    path = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(path))
    assert path.read_text().startswith("openapi: 3")


def test_every_address_is_in_the_schema(document: dict[str, Any]) -> None:
    assert len(document["paths"]) == len(VIEWS) + len(OLDER_VIEWS)


def test_every_operation_is_tagged_described_and_names_its_problems(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method} {path}"
            assert operation["description"].strip(), name
            assert len(operation["tags"]) == 1, name
            assert set(operation["responses"]) >= {"400", "401", "429", "500", "503"}, name
            assert any(status.startswith("2") for status in operation["responses"]), name
            assert PROBLEM in operation["responses"]["400"]["content"], name
            is_public = path.startswith("/api/v1/auth/") and path != "/api/v1/auth/me/"
            assert bool(operation.get("security")) is not is_public, name
            assert operation.get("deprecated", False) is (not path.startswith("/api/v1/") or path == "/api/v1/portfolio/"), name


def test_pages_of_the_documentation_load_nothing_from_elsewhere() -> None:
    for address in ("/api/docs/", "/api/docs/redoc/"):
        page = Client().get(address)
        assert page.status_code == 200
        assert b"http://" not in page.content.replace(b"http://testserver", b"")
        assert b"https://" not in page.content


def test_schema_is_served_to_anyone() -> None:
    answer = Client().get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "Trading System API"


@pytest.mark.django_db
def test_nothing_that_fits_the_schema_or_breaks_it_fails_the_server(document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WindowThrottle, "limit", 1_000_000)
    World().step(2)
    client = APIClient(raise_request_exception=False)
    client.force_login(user_of(Role.ADMIN))
    fits = _validators(document)
    schema = schemathesis.openapi.from_dict(document)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        tried += 1
        for mode in EXAMPLES if operation.body or operation.query or operation.path_parameters else [GenerationMode.POSITIVE]:
            _assert_answers_fit(operation, mode, client, fits)
    assert tried == sum(len(operations) for operations in document["paths"].values())


def _assert_answers_fit(operation: Any, mode: GenerationMode, client: APIClient, fits: Any) -> None:
    @settings(max_examples=EXAMPLES[mode], deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        answer = _send(client, case)
        told = f"{case.method} {case.formatted_path} {case.query} {case.body!r} -> {answer.status_code} {answer.content[:500]!r}"
        assert answer.status_code < 500, told
        documented = operation.definition.raw["responses"].get(str(answer.status_code))
        assert documented is not None, told
        if answer.content:
            media_type = answer.headers["Content-Type"].split(";")[0]
            assert media_type in documented["content"], told
            fits(documented["content"][media_type]["schema"], answer.json())

    run()


def _send(client: APIClient, case: Any) -> Any:
    headers = {name: value for name, value in (case.headers or {}).items() if value.isascii() and value.isprintable()}
    query = urlencode({name: str(value) for name, value in (case.query or {}).items()}, errors="replace")
    body = b"" if isinstance(case.body, NotSet) else case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
    return client.generic(case.method, f"{case.formatted_path}?{query}", body, content_type="application/json", headers=headers)


def _validators(document: dict[str, Any]) -> Any:
    """Checks an answer against a schema of the document; `nullable` is how OpenAPI 3.0 says that null is one of the types."""
    components = _nullable(document["components"])

    def fits(schema: dict[str, Any], value: Any) -> None:
        jsonschema.Draft4Validator({"allOf": [_nullable(schema)], "components": components}).validate(value)

    return fits


def _nullable(node: Any) -> Any:
    if isinstance(node, list):
        return [_nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {name: _nullable(value) for name, value in node.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain
