"""What a till reads of a member, as requests carry it."""

from typing import Literal

from pydantic import Field

from shared.ids import TOKEN_LENGTH_MAX
from shared.web import Body


class IdentifierBody(Body):
    """What a till reads."""

    type: Literal["card", "phone", "token"]
    value: str = Field(
        min_length=1,
        max_length=TOKEN_LENGTH_MAX,
        repr=False,
        description="A card's letters and digits; a phone, in the programme's country or with its prefix; a token.",
    )


class ShownIdentifierBody(IdentifierBody):
    """What a till reads, and how. A dynamic QR token is of type token."""

    entry_method: Literal["keyed", "swiped", "scanned"] = "scanned"
