"""The keys from settings that members' own keys are wrapped with.

Several may be valid at once. The first wraps; all of them unwrap. So a master key is replaced without a stop: every
process learns the new one as second, then as first; the members' keys are wrapped anew; the old one is dropped.
"""

import re
import secrets
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.members.domain.sealed import WrappedKey
from services.members.sealing.member_keys import KEY_BYTES, NONCE_BYTES, MemberKey, SealBrokenError

MASTER_KEYS_MAX = 4
_ENTRY = re.compile(r"^([A-Za-z0-9._-]{1,16}):([0-9a-fA-F]{64})$")
_PURPOSE = b"tessera/members/wrapped-key/1"


class InvalidMasterKeysError(ValueError):
    """The setting cannot be read; the message says what form is expected and repeats nothing."""


class MasterKeyMissingError(Exception):
    """A member's key is wrapped by a master key that the settings do not name."""


class MasterKeys:
    """The master keys by their ids. ``current_id`` is the one that wraps. Never shown."""

    def __init__(self, current_id: str, keys: Mapping[str, bytes]) -> None:
        self.current_id = current_id
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}

    @classmethod
    def parse(cls, text: str) -> "MasterKeys":
        """``<id>:<64 hex digits>``, separated by commas; the first is the current one.

        Raises:
            InvalidMasterKeysError
        """
        found = [_ENTRY.match(entry.strip()) for entry in text.split(",")]
        entries = [(entry[1], bytes.fromhex(entry[2])) for entry in found if entry is not None]
        keys = dict(entries)
        if len(entries) != len(found) or len(keys) != len(entries) or len(keys) > MASTER_KEYS_MAX:
            raise InvalidMasterKeysError(
                f"it must be 1 to {MASTER_KEYS_MAX} entries <id>:<64 hex digits>, separated by commas, no id twice"
            )
        return cls(entries[0][0], keys)

    def wrap(self, key: MemberKey) -> WrappedKey:
        """A member's key as it may be stored, under the current master key."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        about = _about(key.member_id, self.current_id)
        wrapped = nonce + self._ciphers[self.current_id].encrypt(nonce, key.secret, about)
        return WrappedKey(self.current_id, wrapped)

    def unwrap(self, wrapped: WrappedKey, member_id: UUID) -> MemberKey:
        """The member's key again.

        Raises:
            MasterKeyMissingError: the settings do not name the master key that wrapped it.
            SealBrokenError: wrapped for another member or by another key of the same id, or altered.
        """
        cipher = self._ciphers.get(wrapped.master_key_id)
        if cipher is None:
            raise MasterKeyMissingError(
                f"a member's key is wrapped by the master key {wrapped.master_key_id}: put it back into "
                "TESSERA_MASTER_KEYS"
            )
        nonce, sealed = wrapped.wrapped[:NONCE_BYTES], wrapped.wrapped[NONCE_BYTES:]
        try:
            secret = cipher.decrypt(nonce, sealed, _about(member_id, wrapped.master_key_id))
        except (InvalidTag, ValueError):
            raise SealBrokenError("a member's key cannot be unwrapped: wrong master key, or altered") from None
        if len(secret) != KEY_BYTES:
            raise SealBrokenError("a member's key has the wrong length")
        return MemberKey(member_id, secret)

    def __repr__(self) -> str:
        return f"MasterKeys(current_id={self.current_id!r}, …)"


def _about(member_id: UUID, master_key_id: str) -> bytes:
    return b"\0".join((_PURPOSE, member_id.bytes, master_key_id.encode()))
