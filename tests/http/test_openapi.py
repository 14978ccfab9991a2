"""The OpenAPI document lists what is served, and ``docs/api.md`` repeats it."""

import re
from pathlib import Path

import pytest

from service.errors import PROBLEM_MEDIA_TYPE, PROBLEMS
from tests.service.small_world import SPACE_VIEWS

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
PAIRS = sorted(
    {
        f"/search/{source}-to-{target}"
        for views in SPACE_VIEWS.values()
        for source in views
        for target in views
    }
)


@pytest.fixture(scope="module")
def document(client):
    response = client.get("/openapi.json")
    assert response.status_code == 200
    return response.json()


def operations(document):
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_pair_is_listed_and_no_other(document):
    assert sorted(path for path in document["paths"] if path.startswith("/search/")) == PAIRS


@pytest.mark.parametrize("path", PAIRS)
def test_a_search_is_described_with_an_example(document, path):
    operation = document["paths"][path]["post"]
    source, target = path.removeprefix("/search/").split("-to-")
    assert operation["operationId"] == f"search_{source}_to_{target}"
    assert operation["summary"] == f"Find {target} by {source}"
    assert "curl" in operation["description"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names == {
        *("k", "offset", "space", "min_score", "filter"),
        *("cursor", "group_by", "collection"),
    }
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    assert set(example) == {"query", "space", "took_ms", "results", "next"}
    assert set(operation["responses"]) == {"200", "404", "413", "415", "422", "503", "507"}


def test_every_operation_has_its_own_id(document):
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_every_failure_is_documented_as_a_problem(document):
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400" and status != "416":
                assert PROBLEM_MEDIA_TYPE in response["content"], (path, method, status)
    assert "ProblemAnswer" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_is_defined(document):
    names = set(re.findall(r'"#/components/schemas/(\w+)"', str(document).replace("'", '"')))
    assert names <= set(document["components"]["schemas"])


def test_the_other_addresses_are_listed(document):
    others = {(p, m) for p, m, _ in operations(document) if not p.startswith("/search/")}
    assert others == {
        ("/items", "get"),
        ("/items", "post"),
        ("/items/{item_id}", "get"),
        ("/items/{item_id}", "delete"),
        ("/items/{item_id}/media", "get"),
        ("/items/{item_id}/preview", "get"),
        ("/items/{item_id}/similar", "get"),
        ("/spaces", "get"),
        ("/collections", "get"),
        ("/health/live", "get"),
        ("/health/ready", "get"),
    }


def test_files_are_shown_as_file_choosers(document):
    for name, schema in document["components"]["schemas"].items():
        file = schema.get("properties", {}).get("file")
        if file is not None:
            assert file["format"] == "binary", name
            assert file["type"] == "string"


def test_the_example_validates_against_the_schema(document):
    from service.schemas import SearchAnswerBody

    for path in PAIRS:
        content = document["paths"][path]["post"]["responses"]["200"]["content"]
        SearchAnswerBody.model_validate(content["application/json"]["example"])


def test_the_documentation_names_every_address(document):
    text = DOCS.read_text(encoding="utf-8")
    for path in document["paths"]:
        named = "/search/{source}-to-{target}" if path.startswith("/search/") else path
        assert f"`{named.replace('item_id', 'id')}`" in text, path


def test_the_documentation_lists_every_problem_with_its_status():
    text = DOCS.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", text, re.MULTILINE))
    assert rows == {name: str(problem.status) for name, problem in PROBLEMS.items()}


def test_the_documentation_lists_every_setting():
    from service.settings import Settings

    text = DOCS.read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `KYOMEI_(\w+)` \|", text, re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}
