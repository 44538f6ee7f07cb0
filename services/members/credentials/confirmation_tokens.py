"""What confirms a consent: a token of 256 random bits, kept as a digest alone.

It is made for one statement and sent to one address. A plain SHA-256 is enough, since nobody can guess what is random.
"""

import hashlib
import secrets

TOKEN_PREFIX = "ct_"  # noqa: S105 -- what tokens begin with, so that a log's mask and scanners of source code find them  # nosec B105
TOKEN_LENGTH_MAX = 64
_RANDOM_BYTES = 32


def new_confirmation_token() -> str:
    """``ct_`` and 32 random bytes in base64url."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
