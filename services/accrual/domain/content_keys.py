"""Content hashes are keyed: nobody without the key can try what a document might have said. Pure.

A till's document holds what it read of a member, a phone for example, and its hash stays with the claim for ever. The
hash of version 0 is the document's SHA-256 (``shared/content_hash.py``); that of version n is HMAC-SHA-256 of the hash
of version n - 1 under key n. So a hash that was stored under an older version is brought to the newest without its
document, and the same document compares equal for ever.
"""

import hmac
import re
from collections.abc import Iterator, Sequence
from typing import Final

KEYS_MAX: Final = 8
_ENTRY = re.compile(r"^([1-9][0-9]?):([0-9a-fA-F]{64})$")


class InvalidContentKeysError(ValueError):
    """The setting cannot be read; the message says what form is expected and repeats nothing."""


class ContentKeys:
    """The keys in the order of their versions, 1 first, none left out."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)

    def __repr__(self) -> str:
        return f"ContentKeys(versions={len(self._secrets)})"

    @classmethod
    def parse(cls, text: str) -> "ContentKeys":
        """``<version>:<64 hex digits>``, separated by commas, from version 1 on.

        Raises:
            InvalidContentKeysError
        """
        found = [_ENTRY.match(entry.strip()) for entry in text.split(",")]
        secrets = [bytes.fromhex(entry[2]) for entry in found if entry is not None]
        versions = [int(entry[1]) for entry in found if entry is not None]
        if versions != list(range(1, len(found) + 1)) or len(versions) > KEYS_MAX:
            raise InvalidContentKeysError(
                f"it must be 1 to {KEYS_MAX} entries <version>:<64 hex digits>, separated by commas, versions 1, 2, 3 …"
            )
        return cls(secrets)

    def seal(self, document_hash: str) -> str:
        """The content hash (hex) of the newest version, from the document's SHA-256 (hex)."""
        digest = bytes.fromhex(document_hash)
        for secret in self._secrets:
            digest = hmac.digest(secret, digest, "sha256")
        return digest.hex()

    def are_alike(self, one: bytes, other: bytes) -> bool:
        """Whether two content hashes, each of any version, are of the same contents."""
        return one == other or other in self._later(one) or one in self._later(other)

    def _later(self, digest: bytes) -> Iterator[bytes]:
        """What a hash comes to under the keys that followed, whichever its version was: which is not stored."""
        for version in range(len(self._secrets)):
            later = digest
            for secret in self._secrets[version:]:
                later = hmac.digest(secret, later, "sha256")
                yield later
