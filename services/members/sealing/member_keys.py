"""A member's own key: what is personal of a member is sealed with it, and unreadable for ever once it is destroyed."""

import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32  # AES-256
NONCE_BYTES = 12  # random: a member's key seals some hundred texts in its life, far from where 96 bits repeat
_PURPOSE = b"tessera/members/sealed/1"


class SealBrokenError(Exception):
    """What is stored cannot be opened: sealed under another key, for another member or as something else; altered."""


class MemberKey:
    """A member's key, open; it lives in memory only, for as long as a request. Never shown."""

    __slots__ = ("_cipher", "member_id", "secret")

    def __init__(self, member_id: UUID, secret: bytes) -> None:
        self.member_id = member_id
        self.secret = secret
        self._cipher = AESGCM(secret)

    @classmethod
    def new(cls, member_id: UUID) -> "MemberKey":
        """A random one."""
        return cls(member_id, secrets.token_bytes(KEY_BYTES))

    def seal(self, field_set: str, plain: bytes) -> bytes:
        """AES-256-GCM, bound to the member and to ``field_set``, the name of what this is; two calls differ."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, self._about(field_set))

    def open(self, field_set: str, sealed: bytes) -> bytes:
        """What was sealed.

        Raises:
            SealBrokenError
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._about(field_set))
        except (InvalidTag, ValueError):
            raise SealBrokenError(
                f"a member's {field_set} cannot be opened: another key or place, or altered"
            ) from None

    def _about(self, field_set: str) -> bytes:
        return b"\0".join((_PURPOSE, self.member_id.bytes, field_set.encode()))

    def __repr__(self) -> str:
        return "MemberKey(…)"
