"""What accepts an invitation to a household: a token of 256 random bits, kept as a digest alone.

It is made for one member and given to the programme's client, which shows it to nobody else.
"""

import secrets

TOKEN_PREFIX = "hi_"  # noqa: S105 -- what tokens begin with, for masks and scanners  # nosec B105
TOKEN_LENGTH_MAX = 64
_RANDOM_BYTES = 32


def new_invitation_token() -> str:
    """``hi_`` and 32 random bytes in base64url."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
