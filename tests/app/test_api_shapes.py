"""What goes out of the API and what comes in: exactly what its description declares."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from cadenza.identity.contracts import Role
from tests.app.matrix import BODIES, QUERIES
from tests.app.test_matrix import House, _address, _everything, _ids, house  # noqa: F401 - a fixture
from tests.support.routes import routes_of
from tests.web.seed import seed

_OTHERS = ("workspace_id", "id", "created_at", "user_id", "password_hash")


def _api(house: House, method: str) -> list[APIRoute]:  # noqa: F811
    return [r for r in routes_of(house.app) if r.path.startswith("/api/v1/") and method in r.methods]


def _differences(schemas: dict[str, Any], schema: dict[str, Any], value: object, at: str) -> Iterator[str]:
    """Where the keys of an answer are not those of its schema."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if value is None and any(each.get("type") == "null" for each in schema.get("anyOf", ())):
        return
    for each in schema.get("anyOf", ()):
        if each.get("type") != "null":
            schema = schemas[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _differences(schemas, schema["items"], item, f"{at}[{number}]")
    elif isinstance(value, dict) and "properties" in schema:
        if value.keys() != schema["properties"].keys():
            yield f"{at}: {sorted(value.keys() ^ schema['properties'].keys())}"
        for key, item in value.items():
            yield from _differences(schemas, schema["properties"].get(key, {}), item, f"{at}.{key}")


@pytest.mark.slow
@pytest.mark.asvs("8.2.3", "15.3.1")
async def test_the_keys_of_every_answer_are_those_of_its_schema(house: House) -> None:  # noqa: F811
    description = house.app.openapi()
    schemas, ids = description["components"]["schemas"], await _ids(house.database, house.seeded)
    wrong, shown = [], 0
    for route in _api(house, "GET"):
        name = f"GET {route.path}"
        answer = await house.ask(Role.OWNER, name, _address(route, ids, name))
        if answer.status_code != 200 or route.path.endswith("openapi.json"):
            continue
        said = description["paths"][route.path]["get"]["responses"]["200"]["content"]["application/json"]
        wrong += list(_differences(schemas, said["schema"], answer.json(), name))
        shown += 1
    assert wrong == []
    assert shown > 25


@pytest.mark.slow
@pytest.mark.asvs("8.2.3", "15.3.3")
async def test_what_is_posted_for_another_workspace_changes_nothing_there(house: House) -> None:  # noqa: F811
    other = await seed(house.database)
    before = await _everything(house.database, other)
    ids = await _ids(house.database, house.seeded)
    ids["member_id"] = house.members[Role.READ_ONLY].id
    foreign = {"workspace_id": str(other.actor.workspace_id), "member_id": str(other.actor.member_id)}
    asked = 0
    for method in ("POST", "PUT"):
        for route in _api(house, method):
            name = f"{method} {route.path}"
            if isinstance(body := BODIES.get(name), dict):
                given = foreign | body
                answer = await _ask(house, name, _address(route, ids, name), given)
                assert answer < 500, name
                asked += 1
    assert asked > 15
    assert await _everything(house.database, other) == before


async def _ask(house: House, name: str, address: str, body: dict[str, Any]) -> int:  # noqa: F811
    """As the owner; half a character goes as an escape, which is how it can come."""
    headers = {
        "authorization": f"Bearer {await house._token(Role.OWNER)}",
        "content-type": "application/json",
    }
    transport = httpx.ASGITransport(house.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://testserver", headers=headers
    ) as client:
        return (
            await client.request(name.split(maxsplit=1)[0], address, content=json.dumps(body))
        ).status_code


@pytest.mark.asvs("15.3.3")
async def test_no_body_declares_whose_it_is_or_what_only_we_give(house: House) -> None:  # noqa: F811
    description = house.app.openapi()
    schemas = description["components"]["schemas"]
    for path, verbs in description["paths"].items():
        for verb, route in verbs.items():
            content = route.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                schema = content["schema"]
                schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
                assert not set(schema.get("properties", {})) & set(_OTHERS), f"{verb} {path}"


@pytest.mark.asvs("2.2.1", "2.2.2")
async def test_every_text_and_list_that_comes_in_has_a_bound(house: House) -> None:  # noqa: F811
    """Of bodies and of queries; identities, times and words from a list bound themselves."""
    description = house.app.openapi()
    schemas, unbounded = description["components"]["schemas"], []
    for path, verbs in description["paths"].items():
        for verb, route in verbs.items():
            content = route.get("requestBody", {}).get("content", {}).get("application/json", {})
            given = [("body", content.get("schema", {}))]
            given += [
                (each["name"], each["schema"])
                for each in route.get("parameters", ())
                if each["in"] == "query"
            ]
            unbounded += [
                f"{verb} {path}: {place}" for at, schema in given for place in _unbounded(schemas, schema, at)
            ]
    assert unbounded == []


def _unbounded(schemas: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for each in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _unbounded(schemas, each, at)
    kind = schema.get("type")
    if kind == "string" and not {"maxLength", "enum", "format", "pattern", "const"} & schema.keys():
        yield at
    if kind == "array":
        if "maxItems" not in schema:
            yield f"{at}[]"
        yield from _unbounded(schemas, schema.get("items", {}), f"{at}[]")
    if kind == "integer" and "maximum" not in schema and "enum" not in schema:
        yield at
    for key, each in schema.get("properties", {}).items():
        yield from _unbounded(schemas, each, f"{at}.{key}")


@pytest.mark.asvs("2.2.1", "2.2.2")
@pytest.mark.parametrize("bad", ["\x00", "\ud800"])
async def test_what_cannot_be_stored_is_refused_by_its_place(house: House, bad: str) -> None:  # noqa: F811
    wrong, asked = [], 0
    for method in ("POST", "PUT"):
        for route in _api(house, method):
            name = f"{method} {route.path}"
            body = BODIES.get(name)
            for key in [k for k, v in body.items() if isinstance(v, str)] if isinstance(body, dict) else []:
                address = re.sub(r"\{\w+\}", str(uuid4()), route.path) + QUERIES.get(name, "")
                status = await _ask(house, name, address, {**body, key: f"a{bad}b"})
                asked += 1
                if status not in (404, 422):
                    wrong.append(f"{name} {key}: {status}")
    assert wrong == []
    assert asked > 10
