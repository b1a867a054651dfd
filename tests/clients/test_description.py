"""The clients and the API's description say the same."""

from pathlib import Path

import pytest
from friendpay_client import AsyncFriendpay, Friendpay, types

from friendpay.api.app import api
from tests.clients import build
from tests.clients.description import Description

DOCUMENT = api.get_openapi_schema()
WRITTEN = build.written(DOCUMENT)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(build.CLIENTS)))
def test_what_is_written_from_the_description_is_what_lies_there(path: Path) -> None:
    assert path.read_text() == WRITTEN[path], "run: python -m tests.clients.build"


def test_every_operation_has_a_method_and_every_field_a_type() -> None:
    description = Description.of(DOCUMENT)
    operations = [told["operationId"] for methods in DOCUMENT["paths"].values() for told in methods.values()]
    node = (build.CLIENTS / "node" / "src" / "operations.ts").read_text()
    for name in operations:
        assert callable(getattr(Friendpay, name))
        assert callable(getattr(AsyncFriendpay, name))
        first, *others = name.split("_")
        assert f"  {first}{''.join(map(str.capitalize, others))}(" in node
    for name, schema in description.schemas.items():
        if "properties" in schema:
            assert set(getattr(types, name).__annotations__) == set(schema["properties"])
