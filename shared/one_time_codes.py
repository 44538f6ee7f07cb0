"""One-time codes: six digits that follow from a challenge's id and a key that two services share.

Who asks for a code and who sends it both derive it, so that it stands in no event, table, log or stored answer: what
travels is the challenge's id, which says nothing without the key.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from uuid import UUID

KEYS_MAX = 4
CODE_DIGITS = 6

_ENTRY = re.compile(r"^([A-Za-z0-9_-]{1,16}):([0-9a-fA-F]{64})$")
_ABOUT = b"tessera/one-time-code/1"


class InvalidCodeKeysError(ValueError):
    """The setting cannot be read; the message says what form is expected and repeats nothing."""


class UnknownCodeKeyError(LookupError):
    """The challenge was made under a key that is not there."""


class CodeKeys:
    """The keys by their ids; the first makes new codes, all of them check. Never shown."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    @classmethod
    def parse(cls, text: str) -> "CodeKeys":
        """``<id>:<64 hex digits>``, separated by commas; empty for none.

        Raises:
            InvalidCodeKeysError
        """
        if not text.strip():
            return cls({})
        found = [_ENTRY.match(entry.strip()) for entry in text.split(",")]
        keys = {entry[1]: bytes.fromhex(entry[2]) for entry in found if entry is not None}
        if len(keys) != len(found) or len(keys) > KEYS_MAX:
            raise InvalidCodeKeysError(
                f"it must be up to {KEYS_MAX} entries <id>:<64 hex digits>, separated by commas, no id twice"
            )
        return cls(keys)

    @property
    def current_id(self) -> str | None:
        """The key of new challenges; None where there are no codes."""
        return next(iter(self._keys), None)

    def code_of(self, challenge_id: UUID, key_id: str) -> str:
        """The challenge's code, with its leading zeros.

        Raises:
            UnknownCodeKeyError: there is no such key, or not any more.
        """
        key = self._keys.get(key_id)
        if key is None:
            raise UnknownCodeKeyError(f"there is no key {key_id} for one-time codes")
        digest = hmac.digest(key, _ABOUT + challenge_id.bytes, hashlib.sha256)
        return f"{int.from_bytes(digest[:8]) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
