"""What becomes of what a member has who left a household with which it stays. Pure.

The registry has decided that it stays, and with whom, as everybody stood at that moment. Here is judged what has been
heard since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID, uuid5

from services.redemption.domain.standing import KnownStatus

# A fixed name space: what was given by one leaving is one gift, whoever computes its id.
_LEAVINGS = UUID("8d0f5f7c-2b0b-5a55-9c56-0c7a4d2e91b4")

Kept: TypeAlias = Literal["leaver_locked", "heir_gone"]
Outcome: TypeAlias = Literal["given", "nothing_left", "leaver_merged", "same_owner"] | Kept


class Known(NamedTuple):
    """A member as redemption has heard of it: the status at ``version``."""

    status: KnownStatus
    version: int


NOT_HEARD_OF = Known("unknown", 0)


@dataclass(frozen=True, slots=True, order=True)
class Leaving:
    """A member left a household, which came to ``version`` by it; what the member had is ``heir_id``'s.

    ``member_version`` is the member's own, just after leaving at ``left_at``.
    """

    household_id: UUID
    version: int
    member_id: UUID
    member_version: int
    heir_id: UUID
    left_at: datetime

    def gift_of(self, other_type: str | None) -> UUID:
        """The id of what it gives of a point type (None: the programme's own), for ever."""
        of_type = "" if other_type is None else f"/{other_type}"
        return uuid5(_LEAVINGS, f"{self.household_id}/{self.member_id}/{self.version}{of_type}")

    @property
    def reference(self) -> bytes:
        """What the ledger's transfers bear."""
        return self.household_reference + f"{self.version}:{self.member_id}".encode()

    @property
    def household_reference(self) -> bytes:
        """How the references of all leavings of this household begin."""
        return f"leave:{self.household_id}:".encode()


def reason_to_keep(leaving: Leaving, known: Mapping[UUID, Known]) -> Kept | None:
    """Why the leaver keeps all, by what has been heard of both since; None where the points go.

    Nothing is taken from an account that was locked since the member left. A lock from before was over by then, or the
    registry had not named an heir. Who was closed or erased since had left before, and agreed to it. But nothing is
    given to an account that nobody has any more.
    """
    leaver, heir = known.get(leaving.member_id, NOT_HEARD_OF), known.get(leaving.heir_id, NOT_HEARD_OF)
    if leaver.version >= leaving.member_version and leaver.status in ("suspended", "earn_only", "spend_locked"):
        return "leaver_locked"
    return "heir_gone" if heir.status in ("closed", "erased") else None
