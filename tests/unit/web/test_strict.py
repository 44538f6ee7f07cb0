"""Bodies are as strict when they are built in Python, and their schemas say what they take."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import Field, ValidationError

from shared.web import AwareTime, Body, PositiveMinor, PositiveQuantity, Text


class Inner(Body):
    """Something inside."""

    count: int
    share: float | None = None


class Outer(Body):
    """Something that holds others."""

    amount_minor: PositiveMinor
    quantity: PositiveQuantity
    at: AwareTime
    day: date
    note: Text
    by_name: dict[str, Inner] = Field(default_factory=dict)


GOOD = {
    "amount_minor": 5,
    "quantity": Decimal("0.1"),
    "at": datetime(2026, 3, 1, tzinfo=UTC),
    "day": date(2026, 3, 1),
    "note": "ü✓",
}


def test_python_values_are_taken() -> None:
    built = Outer.model_validate(GOOD | {"by_name": {"a": Inner(count=1)}})

    assert built.model_dump() == GOOD | {"by_name": {"a": {"count": 1, "share": None}}}


def test_a_fraction_is_read_as_it_was_written() -> None:
    assert Outer.model_validate(GOOD | {"quantity": 0.1}).quantity == Decimal("0.1")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": True},
        {"quantity": False},
        {"quantity": float("inf")},
        {"at": datetime(2026, 3, 1)},  # noqa: DTZ001 -- naive on purpose
        {"day": datetime(2026, 3, 1, tzinfo=UTC)},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": "9999-12-31T23:59:59-14:00"},
        {"day": "0001-01-01"},
        {"day": date.max},
        {"note": "a\x00b"},
        {"note": "line\nbreak"},
        {"by_name": {"a": {"count": "1"}}},
        {"by_name": {"a": {"count": True}}},
        {"by_name": {"a": {"count": 1, "share": "0.5"}}},
        {"by_name": {"a\x1b": {"count": 1}}},
    ],
)
def test_what_is_not_what_it_says_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Outer.model_validate(GOOD | changes)


def test_a_models_error_does_not_show_its_input() -> None:
    with pytest.raises(ValidationError) as refused:
        Outer.model_validate(GOOD | {"amount_minor": "4000-1234"})

    assert "4000-1234" not in str(refused.value)


def test_the_schema_is_that_of_the_fields() -> None:
    schema = Outer.model_json_schema()

    assert schema["properties"]["note"] == {"maxLength": 500, "minLength": 1, "title": "Note", "type": "string"}
    assert schema["properties"]["at"]["format"] == "date-time"
    assert schema["properties"]["amount_minor"]["exclusiveMinimum"] == 0
    assert schema["additionalProperties"] is False
