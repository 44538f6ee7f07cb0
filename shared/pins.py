"""What a member's PIN looks like in a request: digits, and never shown, whatever is printed."""

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 8

_PATTERN = rf"^[0-9]{{{PIN_DIGITS_MIN},{PIN_DIGITS_MAX}}}$"


def _are_digits(value: SecretStr) -> SecretStr:
    if re.fullmatch(_PATTERN[1:-1], value.get_secret_value()) is None:
        raise PydanticCustomError("pin_digits", f"A PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    return value


PinText: TypeAlias = Annotated[
    SecretStr,
    AfterValidator(_are_digits),
    Field(json_schema_extra={"pattern": _PATTERN}, description="A PIN, as the member typed it."),
]
