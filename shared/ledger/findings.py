"""What verification says: an amount, a row or a block that is not as the others say."""

from dataclasses import dataclass
from uuid import UUID

FINDINGS_MAX = 100  # shown of a check; all are counted


@dataclass(frozen=True, slots=True)
class Finding:
    """One amount that does not follow from the rows it should follow from, or one transfer that says what it must not.

    ``stored`` is None where there is no row though other rows speak of it; both amounts are None for a lot whose key
    is not that of its terms, and for what the chain finds. ``account_id`` is None for a total of a point type.
    """

    check: str
    point_type: str | None
    account_id: int | None
    lot_key: bytes | None
    hold_id: UUID | None
    what: str
    stored: int | None
    computed: int | None
    transfer_id: int | None = None
    block_number: int | None = None

    @property
    def subject(self) -> str:
        """What the finding is about, for people."""
        parts = [] if self.block_number is None else [f"block {self.block_number}"]
        if self.transfer_id is not None:
            parts.append(f"transfer {self.transfer_id}")
        if self.account_id is not None:
            parts.append(f"account {self.account_id}")
        if self.lot_key is not None:
            parts.append(f"lot {self.lot_key.hex()}")
        if self.hold_id is not None:
            parts.append(f"hold {self.hold_id}")
        return ", ".join(parts or ["all accounts"])
