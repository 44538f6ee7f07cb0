"""What an identifier may do, by its type and by how it got into the till: data of the programme.

A card that was swiped is worth more than a phone number that anybody can say aloud. The table is one versioned document
in the settings of the services that judge by it; a combination that it does not name may do everything.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

IdentifierType: TypeAlias = Literal["card", "phone", "token"]
# ``token``: a dynamic QR token, whatever the till says of how it was read.
EntryMethod: TypeAlias = Literal["keyed", "swiped", "scanned", "token"]


class Capability(BaseModel):
    """What one combination may do. ``spend_points_max`` holds for a single hold: 0 spends nothing, absent any amount.

    ``spends_with_code_only``: the member shows a QR token as well, which proves that they are there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: IdentifierType
    entry_method: EntryMethod
    may_earn: StrictBool = True
    may_see_balance: StrictBool = True
    spend_points_max: Annotated[StrictInt, Field(ge=0)] | None = None
    spends_with_code_only: StrictBool = False


_KEYED_PHONE = Capability(type="phone", entry_method="keyed", may_see_balance=False, spend_points_max=0)


class Capabilities(BaseModel):
    """The table, with its version: raise it with every change, refusals name it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[StrictInt, Field(ge=1)] = 1
    rows: tuple[Capability, ...] = (_KEYED_PHONE,)

    @model_validator(mode="after")
    def _names_each_once(self) -> "Capabilities":
        named = [(row.type, row.entry_method) for row in self.rows]
        if len(set(named)) != len(named):
            raise ValueError("each type and entry method may stand once")
        return self

    def of(self, type: IdentifierType, entry_method: EntryMethod) -> Capability:  # noqa: A002 -- the field's name
        """What an identifier of this type may do that came into the till this way."""
        for row in self.rows:
            if (row.type, row.entry_method) == (type, entry_method):
                return row
        return Capability(type=type, entry_method=entry_method)
