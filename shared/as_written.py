"""Days, times and texts as people write them: what JSON's authors mean, and not what else might be read as one.

pydantic's defaults would read 1761955200 as a day, and keep what no database does. ``shared.web.Body`` takes
its own fields as they are written; models that stand inside one, and documents, say so by these types.
"""

import unicodedata
from datetime import date, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DAY_LENGTH = len("2026-03-01")


def refuse_control_characters(value: str) -> str:
    """The text, if it holds none. Lone surrogates count as such."""
    if not value.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise PydanticCustomError("control_characters", "Text may not hold control characters: remove them")
    return value


def _refuse_all_but_line_ends(value: str) -> str:
    refuse_control_characters(value.replace("\n", " "))
    return value


def time_as_text(value: object) -> object:
    """What a time may be read from: a text that is no number."""
    if not isinstance(value, str | datetime):
        raise PydanticCustomError("datetime_type", "Input should be a time in RFC 3339, as 2026-03-01T09:30:00+01:00")
    if isinstance(value, str) and value.strip().lstrip("+-").replace(".", "", 1).isdigit():
        raise PydanticCustomError("datetime_type", "Input should be a time in RFC 3339, as 2026-03-01T09:30:00+01:00")
    return value


def day_as_text(value: object) -> object:
    """What a day may be read from: a text that is as long as a day, and so no time; no number."""
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    if not is_day and not (isinstance(value, str) and len(value) == _DAY_LENGTH and not value.isdigit()):
        raise PydanticCustomError("date_type", "Input should be a date, as 2026-03-01")
    return value


Day: TypeAlias = Annotated[date, BeforeValidator(day_as_text)]
Time: TypeAlias = Annotated[AwareDatetime, BeforeValidator(time_as_text)]
OneLine: TypeAlias = Annotated[str, AfterValidator(refuse_control_characters)]
Lines: TypeAlias = Annotated[str, AfterValidator(_refuse_all_but_line_ends)]
