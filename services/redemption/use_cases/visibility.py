"""What a caller may see: a partner's client its own partner's redemptions, the programme's clients all."""

from typing import Protocol


class Viewer(Protocol):
    """The authenticated caller, as use cases know it."""

    @property
    def partner_id(self) -> str | None:
        """The partner that the caller is bound to; None for the programme's own."""

    def sees(self, partner_id: str | None) -> bool:
        """Whether an object of this partner exists for the caller."""
