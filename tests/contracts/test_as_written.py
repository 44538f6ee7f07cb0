"""Whatever a body holds is taken as it is written, also what stands in it and is no body itself."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import services
from services.accrual.domain.rules import RuleSetDraft
from services.redemption.domain.write_off.rules import WriteOffRulesDraft
from shared.receipt_key import SequenceKey
from shared.web import Body

DOCUMENTS: tuple[type[BaseModel], ...] = (RuleSetDraft, WriteOffRulesDraft)
ROOMS = ("schemas", "api")
AS_WRITTEN = frozenset({"day_as_text", "time_as_text", "_number_as_sent"})
READ_OTHERWISE = frozenset({"date", "datetime", "decimal"})
NUMBERS = frozenset({"int", "float", "bool"})
NO_SCHEMAS = frozenset({"metadata", "serialization", "default", "cls", "config", "expected", "function"})


def bodies() -> Iterator[type[BaseModel]]:
    for package in pkgutil.walk_packages(services.__path__, "services."):
        if any(f".{room}" in package.name for room in ROOMS):
            importlib.import_module(package.name)
    found = list(Body.__subclasses__())
    while found:
        body = found.pop()
        found += body.__subclasses__()
        if body.__module__.startswith("services."):
            yield body


def lax(schema: Any, place: str, named: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Places at which a core schema reads another kind of value as the one that is meant."""
    for within, inner in inside(schema):
        yield from lax(inner, place + within, named, seen)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind == "definitions":
        named = {**named, **{one["ref"]: one for one in schema["definitions"]}}
        yield from lax(schema["schema"], place, named, seen)
    if kind == "definition-ref" and schema["schema_ref"] not in seen:
        name = schema["schema_ref"]
        yield from lax(named[name], place, named, seen | {name})
    if kind in READ_OTHERWISE or (kind in NUMBERS and not schema.get("strict")):
        yield f"{place}: {kind}"


def inside(schema: Any) -> Iterator[tuple[str, Any]]:
    """The schemas that stand in one, by what they add to its place."""
    if isinstance(schema, list | tuple):
        yield from (("", inner) for inner in schema)
    if not isinstance(schema, dict) or schema.get("type") == "definitions" or is_as_written(schema):
        return
    for key, inner in schema.items():
        if key == "fields" and isinstance(inner, dict):
            yield from ((f"/{field}", of_field) for field, of_field in inner.items())
        elif key not in NO_SCHEMAS:
            yield "", inner


def is_as_written(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "function-before" and schema["function"]["function"].__name__ in AS_WRITTEN


def test_no_body_reads_a_day_a_time_or_a_number_as_another_one() -> None:
    found = [*bodies(), *DOCUMENTS]
    assert len(found) > 100
    assert [
        place
        for body in found
        for place in lax(body.__pydantic_core_schema__, f"{body.__module__}.{body.__name__}", {})
    ] == []


@pytest.mark.parametrize("day", [1_761_955_200, "1761955200", "2026-11-01T00:00:00", 0])
def test_a_number_is_no_business_date(day: object) -> None:
    # Seconds of a midnight elsewhere are another day here, and so another receipt.
    said = {"scheme": "sequence", "store_id": "s1", "till_id": "1", "business_date": day, "shift": 1, "number": 7}
    with pytest.raises(ValidationError, match="Input should be a date, as 2026-03-01"):
        SequenceKey.model_validate(said)
