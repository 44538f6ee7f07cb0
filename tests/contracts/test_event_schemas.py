"""The published documents in ``docs/events``: they say what the models say, break nobody, and name nobody."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.events.catalogue import CATALOGUE
from shared.events.compatibility import breaking_changes
from shared.events.export import ASYNCAPI, FOLDER, documents, find_breaks, schemas, write

SCHEMAS = schemas()
EARNED = SCHEMAS["loyalty.points.earned.v1"]

# Field names that would hold something of a person. Names of companies and shops are what they are.
PERSONAL = re.compile(
    r"name|e?mail|phone|address|birth|gender|street|city|zip|postal|passport|card_number|pan$|iban|ip_|"
    r"identifier$|identifier_value|^value$|device"
)
# A birthday without its year is shared by one in 365.
IMPERSONAL = {("PartnerData", "name"), ("StoreData", "name")} | {
    (data, field) for data in ("MemberData", "StatusData") for field in ("birth_month", "birth_day")
}


def test_the_committed_documents_say_what_the_models_say() -> None:
    committed = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    made = documents()

    assert committed.keys() == made.keys(), "run python -m shared.events.export"
    for name, text in made.items():
        assert committed[name] == text, f"{name} is out of date: run python -m shared.events.export"


def test_the_models_break_nothing_that_is_committed() -> None:
    assert find_breaks() == []


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_every_document_is_a_json_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for place, definition in (("", schema), *schema.get("$defs", {}).items()):
        for name in definition.get("properties", {}):
            yield place, name


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_no_field_holds_anything_of_a_person(kind: str) -> None:
    personal = {(place, name) for place, name in fields(SCHEMAS[kind]) if PERSONAL.search(name)}

    assert personal - IMPERSONAL == set()


@pytest.mark.parametrize("name", ["given_name", "email", "phone", "birth_date", "street", "card_number", "identifier"])
def test_the_search_for_personal_fields_finds_them(name: str) -> None:
    assert PERSONAL.search(name)


def references(document: Any) -> Iterator[str]:
    match document:
        case dict():
            for name, value in document.items():
                if name == "$ref":
                    yield value
                else:
                    yield from references(value)
        case list():
            for value in document:
                yield from references(value)


def test_the_asyncapi_document_is_whole() -> None:
    made = documents()
    document = json.loads(made[ASYNCAPI])

    assert document["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in document["channels"].values()} == {topic.topic for topic in CATALOGUE}
    assert set(document["components"]["messages"]) == set(SCHEMAS)
    for reference in references(document):
        if reference.startswith("./"):
            assert reference.removeprefix("./") in made
            continue
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    schema = copy.deepcopy(EARNED)
    change(schema)
    return schema


def add(name: str, *, required: bool) -> Callable[[dict[str, Any]], None]:
    def change(schema: dict[str, Any]) -> None:
        data = schema["$defs"]["AwardData"]
        data["properties"][name] = {"type": "string"}
        if required:
            data["required"].append(name)

    return change


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    def change(schema: dict[str, Any]) -> None:
        del schema["$defs"]["AwardData"]["properties"][name]

    return change


def put(field: str, word: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(schema: dict[str, Any]) -> None:
        schema["$defs"]["AwardData"]["properties"][field][word] = value

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (add("campaign_id", required=True), "/data/campaign_id: is required now"),
        (drop("points"), "/data/points: was taken away"),
        (put("points", "type", "string"), "/data/points: type was 'integer' and is 'string'"),
        (put("points", "minimum", 1), "/data/points: minimum was raised to 1"),
        (put("partner_id", "maxLength", 10), "/data/partner_id: maxLength was lowered to 10"),
        (put("partner_id", "pattern", "^[a-z]+$"), "/data/partner_id: pattern was None"),
        (put("partner_id", "enum", ["grocer"]), "/data/partner_id: only some values are left"),
        (lambda schema: schema["required"].remove("type"), "/type: is optional now"),
        (
            lambda schema: schema["$defs"]["RulePoints"]["properties"].pop("points"),
            "/data/by_rule/[]/points: was taken",
        ),
    ],
)
def test_a_breaking_change_is_found(change: Callable[[dict[str, Any]], None], told: str) -> None:
    assert any(found.startswith(told) for found in breaking_changes(EARNED, changed(change)))


@pytest.mark.parametrize(
    "change",
    [
        add("campaign_id", required=False),
        put("partner_id", "maxLength", 100),
        put("points", "description", "other words"),
        lambda schema: schema.update(title="another title"),
    ],
)
def test_what_only_adds_breaks_nothing(change: Callable[[dict[str, Any]], None]) -> None:
    assert breaking_changes(EARNED, changed(change)) == []


def test_a_value_may_be_added_to_an_enumeration_and_none_taken_away() -> None:
    enrolled = SCHEMAS["loyalty.member.enrolled.v1"]
    wider = copy.deepcopy(enrolled)
    wider["$defs"]["MemberData"]["properties"]["status"]["enum"].append("gone_fishing")

    assert breaking_changes(enrolled, wider) == []
    assert breaking_changes(wider, enrolled) == ["/data/status: values were taken away: ['gone_fishing']"]


def test_the_command_refuses_to_publish_a_break(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "loyalty.points.earned.v1.json"
    older = json.loads(path.read_text())
    older["$defs"]["AwardData"]["properties"]["campaign_id"] = {"type": "string"}
    path.write_text(json.dumps(older))
    (tmp_path / "loyalty.points.gone.v1.json").write_text("{}")

    with pytest.raises(SystemExit) as refused:
        write(tmp_path)

    assert "/data/campaign_id: was taken away" in str(refused.value)
    assert "loyalty.points.gone.v1: the type was taken away" in str(refused.value)
    assert json.loads(path.read_text()) == older
