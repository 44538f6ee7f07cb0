"""The CloudEvents envelope that every fact travels in.

Reading is lenient about what was added (unknown fields are dropped), strict about what is there. A breaking change is a
new ``type`` with its own class; handlers see only the newest.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt

SPEC_VERSION: Literal["1.0"] = "1.0"

Minor = Annotated[StrictInt, Field(description="An amount of money in the currency's minor units.")]
Points = Annotated[StrictInt, Field(ge=0, description="A whole number of the point type's smallest unit.")]
Version = Annotated[
    StrictInt, Field(ge=1, description="The subject's version; a projection only moves to a higher one.")
]
Code = Annotated[str, Field(min_length=1, max_length=64)]
ReceiptId = Annotated[str, Field(min_length=2, max_length=700, description="The receipt's natural key in base64url.")]
IdentifierHash = Annotated[
    str,
    Field(
        pattern=r"^[0-9]+\.[A-Za-z0-9_-]{43}$", description="Keyed hash of an identifier: <key version>.<base64url>."
    ),
]


class Frozen(BaseModel):
    """A value that cannot change; unknown fields are dropped, so that an older reader survives an additive change."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Frozen):
    """One fact. ``subject`` is what it is about; ``time`` is the business time at which it became true."""

    specversion: Literal["1.0"] = SPEC_VERSION
    id: UUID
    source: str
    subject: str
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = None

    def to_bytes(self) -> bytes:
        """The event as it stands on the wire. Absent optional fields are left out."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)
