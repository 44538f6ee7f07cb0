"""What requests and answers are made of."""

import zoneinfo
from functools import cache
from typing import Annotated, TypeAlias

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

NAME_LENGTH_MAX = 200
TIME_ZONE_LENGTH_MAX = 64


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _known_time_zone(value: str) -> str:
    if value not in _time_zones():
        raise PydanticCustomError("time_zone", "Input should be an IANA time zone, as America/New_York")
    return value


def refuse_repeated(values: list[str], what: str) -> None:
    """Refuse a list in which a value stands twice."""
    if len(set(values)) != len(values):
        raise PydanticCustomError("not_distinct", "Each {what} may be named once", {"what": what})


Name: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH_MAX)]
TimeZone: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=TIME_ZONE_LENGTH_MAX, description="IANA.", examples=["America/New_York"]),
    AfterValidator(_known_time_zone),
]
CodeInPath: TypeAlias = Annotated[str, Path(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]


class AnswerModel(BaseModel):
    """What an answer is: a value that does not change."""

    model_config = ConfigDict(frozen=True)
