"""An identifier's normal form as bytes that only its member's key opens, so that it can be hashed by another key."""

from services.members.domain.registry import Claim
from services.members.sealing.member_keys import MemberKey

_FIELD_SET = "identifier"


def seal_value(key: MemberKey, claim: Claim) -> bytes | None:
    """The value of what is claimed."""
    return None if claim.value is None else seal_text(key, claim.value)


def seal_text(key: MemberKey, value: str) -> bytes:
    """An identifier, or an e-mail address, as somebody has written it."""
    return key.seal(_FIELD_SET, value.encode())


def open_value(key: MemberKey, sealed: bytes) -> str:
    """The value again.

    Raises:
        SealBrokenError
    """
    return key.open(_FIELD_SET, sealed).decode()


def reseal_value(old: MemberKey, new: MemberKey, sealed: bytes) -> bytes:
    """The same under another member's key.

    Raises:
        SealBrokenError
    """
    return new.seal(_FIELD_SET, old.open(_FIELD_SET, sealed))
