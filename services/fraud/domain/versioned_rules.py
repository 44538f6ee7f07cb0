"""Rules and their parameters as an immutable version that is stored."""

import hashlib
from functools import cached_property

from pydantic import BaseModel, ConfigDict, PositiveInt


class VersionedRules(BaseModel):
    """A decision names the version by which it was made; versions are stored and never change.

    Whoever changes a rule's parameters raises the version: a process refuses to start where the stored one differs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: PositiveInt

    def to_json(self) -> bytes:
        """The form that is stored: field order is the order of declaration, so that equal rule sets are equal bytes.

        A parameter that a version does not have is left out, so that versions of before it was thought of stay as they
        are.
        """
        return self.model_dump_json(exclude_none=True).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the stored form."""
        return hashlib.sha256(self.to_json()).hexdigest()
