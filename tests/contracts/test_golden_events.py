"""One sample of every event type, as it was first written. It must be readable for as long as a topic may hold it.

A sample never changes, which ``golden/SHA256SUMS`` watches over. A new type brings a new sample and a new line.
"""

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.events.catalogue import CATALOGUE, TopicEvents
from shared.events.export import schemas

GOLDEN = Path(__file__).parent / "golden"
TOPIC_OF: dict[str, TopicEvents[Any]] = {kind: topic for topic in CATALOGUE for kind in topic.types()}
SCHEMAS = schemas()


def sample(kind: str) -> dict[str, Any]:
    return dict(json.loads((GOLDEN / f"{kind}.json").read_text()))


def test_every_type_has_one_sample_and_every_sample_a_type() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(TOPIC_OF)


def test_samples_are_as_they_were_written() -> None:
    lines = [line.split("  ") for line in (GOLDEN / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}

    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in GOLDEN.glob("*.json")}


def is_part(small: Any, large: Any) -> bool:
    """Whether ``large`` says all that ``small`` says; it may say more, in fields with a default that came later."""
    match small:
        case dict():
            return isinstance(large, dict) and all(
                name in large and is_part(value, large[name]) for name, value in small.items()
            )
        case list():
            return (
                isinstance(large, list)
                and len(small) == len(large)
                and all(is_part(part, whole) for part, whole in zip(small, large, strict=True))
            )
        case _:
            return bool(small == large) and type(small) is type(large)


@pytest.mark.parametrize("kind", sorted(TOPIC_OF))
def test_a_sample_is_read_and_written_again_as_it_was(kind: str) -> None:
    golden = sample(kind)
    event = TOPIC_OF[kind].read((GOLDEN / f"{kind}.json").read_bytes())
    written = event.to_bytes()

    assert is_part(golden, json.loads(written))
    assert TOPIC_OF[kind].read(written) == event


@pytest.mark.parametrize("kind", sorted(TOPIC_OF))
def test_a_sample_fits_its_published_schema(kind: str) -> None:
    jsonschema.Draft202012Validator(SCHEMAS[kind]).validate(sample(kind))


@pytest.mark.parametrize("kind", sorted(TOPIC_OF))
def test_what_is_optional_may_be_absent_and_what_is_unknown_is_dropped(kind: str) -> None:
    required_of_data = SCHEMAS[kind]["$defs"][SCHEMAS[kind]["properties"]["data"]["$ref"].rpartition("/")[2]][
        "required"
    ]
    golden = sample(kind)
    bare = {name: golden[name] for name in SCHEMAS[kind]["required"]}
    bare["data"] = {name: golden["data"][name] for name in required_of_data}
    TOPIC_OF[kind].read(json.dumps(bare).encode())

    richer = copy.deepcopy(golden)
    richer["field_of_tomorrow"] = richer["data"]["field_of_tomorrow"] = {"a": [1]}
    assert TOPIC_OF[kind].read(json.dumps(richer).encode()) == TOPIC_OF[kind].read(json.dumps(golden).encode())
