"""Client secrets and till keys: made from 256 random bits, kept only as hashes.

A client's secret is proven at the token endpoint alone, so it gets Argon2 (``shared/secret_hasher``): one that the
programme chose itself may be weak. A till proves its key with every request, and its key is always ours and random, so
a plain SHA-256 is enough.
"""

import secrets

RANDOM_BYTES = 32
TILL_KEY_PREFIX = "tk_"
CLIENT_SECRET_PREFIX = "cs_"  # noqa: S105 -- what secrets begin with, so that scanners of source code find them  # nosec B105


def new_till_key() -> str:
    """A till's key: ``tk_`` and 32 random bytes in base64url."""
    return TILL_KEY_PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def new_client_secret() -> str:
    """A client's secret: ``cs_`` and 32 random bytes in base64url."""
    return CLIENT_SECRET_PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
