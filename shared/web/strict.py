"""What HTTP bodies are made of: strict by construction, so that no author has to remember it.

JSON has types, and we take them at their word. pydantic's defaults would read ``false`` as 0, ``"5"`` as 5 and
1700000000 as a time; a ``Body`` refuses all three, unknown fields, times without an offset, and control characters,
in every field of its own and of bodies in it. Models that stand in it and are none (pydantic keeps to their own
validators) say it by the types of ``shared.as_written``; a test finds those that do not. Values built in Python (tests,
other code) pass the same checks.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StrictBool,
    StrictInt,
)
from pydantic_core import PydanticCustomError, core_schema

from shared.as_written import day_as_text, refuse_control_characters, time_as_text

MINOR_MAX = 10**12  # ten billion in most currencies: sums of thousands of lines stay far inside 64 bits
TEXT_LENGTH_MAX = 500
CODE_LENGTH_MAX = 64
YEAR_MIN = 2
YEAR_MAX = 9_998
CODE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"

_STRICT_KINDS = frozenset({"int", "float", "bool"})
_MARK = "tessera_strict"


def _number_as_sent(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise PydanticCustomError("decimal_type", "Input should be a number, or a number written as a string")
    # A float has lost what was sent beyond 17 digits, so it is read as people would write it: 0.1 and not 0.1000…055.
    return repr(value) if isinstance(value, float) else value


def _is_in_range(value: date) -> date:
    """Both ends of what Python can hold are out of it as soon as somebody asks for another zone, or the next day."""
    if not YEAR_MIN <= value.year <= YEAR_MAX:
        raise PydanticCustomError("year_range", f"Input should lie in the years {YEAR_MIN} to {YEAR_MAX}")
    return value


_BEFORE: dict[str, Callable[[Any], Any]] = {
    "datetime": time_as_text,
    "date": day_as_text,
}


def _strictly(schema: Any) -> Any:
    """A copy of a core schema in which every number, time and text is taken as sent."""
    if isinstance(schema, list | tuple):
        return type(schema)(_strictly(item) for item in schema)
    if not isinstance(schema, dict):
        return schema
    if (schema.get("metadata") or {}).get(_MARK):
        return schema
    # "metadata", "serialization" and defaults hold no schemas to validate with.
    copied = {
        key: value if key in ("metadata", "serialization", "default", "cls", "config", "expected") else _strictly(value)
        for key, value in schema.items()
    }
    kind = copied.get("type")
    if not isinstance(kind, str) or "schema_type" in copied:
        return copied
    marked = {_MARK: True}
    if kind in _STRICT_KINDS:
        return copied | {"strict": True}
    if kind == "str":
        return core_schema.no_info_after_validator_function(refuse_control_characters, copied, metadata=marked)
    if kind == "datetime":
        copied = copied | {"tz_constraint": "aware"}
    if kind in ("date", "datetime"):
        in_range = core_schema.no_info_after_validator_function(_is_in_range, copied)
        return core_schema.no_info_before_validator_function(_BEFORE[kind], in_range, metadata=marked)
    if kind == "decimal":
        return core_schema.no_info_before_validator_function(_number_as_sent, copied, metadata=marked)
    return copied


class Body(BaseModel):
    """The base of every model that a request's body is read into."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """pydantic's own schema, made strict at every depth."""
        strict: core_schema.CoreSchema = _strictly(handler(source))
        return strict


Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX)]
CodeText: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=CODE_LENGTH_MAX,
        pattern=CODE_PATTERN,
        description="A short code: letters, digits and . _ : - (never /, which joins codes in keys).",
    ),
]
AwareTime: TypeAlias = Annotated[
    AwareDatetime,
    AfterValidator(_is_in_range),
    Field(description="RFC 3339 with an offset.", examples=["2026-03-01T09:30:00+01:00"]),
]
Flag: TypeAlias = StrictBool
WholeNumber: TypeAlias = Annotated[StrictInt, Field(ge=0, le=MINOR_MAX)]
Minor: TypeAlias = Annotated[
    StrictInt, Field(ge=-MINOR_MAX, le=MINOR_MAX, description="An amount in the currency's minor units.")
]
PositiveMinor: TypeAlias = Annotated[
    StrictInt, Field(gt=0, le=MINOR_MAX, description="An amount in the currency's minor units, above zero.")
]
NonNegativeMinor: TypeAlias = Annotated[
    StrictInt, Field(ge=0, le=MINOR_MAX, description="An amount in the currency's minor units, zero or more.")
]
PositivePoints: TypeAlias = Annotated[
    StrictInt, Field(gt=0, le=MINOR_MAX, description="A whole number of the point type's smallest unit.")
]
PositiveQuantity: TypeAlias = Annotated[
    Decimal, Field(gt=0, max_digits=12, decimal_places=3, description="How much or how many, at most three decimals.")
]
