"""What the database holds in place of personal data: bytes that only the master key's owner can open."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A member's key, wrapped by the master key with this id."""

    master_key_id: str
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """A person under the member's own key, and that key, wrapped."""

    key: WrappedKey
    sealed: bytes = field(repr=False)
