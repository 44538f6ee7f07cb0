"""Keeps a secret that is shown once inside the stored answer, so that a retry gets it and a copy of the table does not.

An answer is stored so that the same request, sent again after a broken connection, is answered as the first was. With
a till's key or a client's secret in it, the answer is stored sealed (AES-256-GCM) and opened on its way out. The
sealing key is derived from the signing key: who has that one can issue any token already, so no new secret is worth
guarding. When the signing key is replaced, older answers cannot be opened any more.
"""

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"tessera/coalition/sealed-answers/1"
_NONCE_BYTES = 12


class SealBrokenError(Exception):
    """The sealed secret cannot be opened: it was sealed under another signing key."""


class Seal:
    """Seals and opens secrets. ``about`` names whose secret it is; one sealed for another does not open."""

    def __init__(self, key_material: bytes) -> None:
        self._cipher = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key_material))

    def close(self, secret: str, about: str) -> str:
        """The secret, unreadable, as text."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), about.encode())).decode()

    def open(self, sealed: str, about: str) -> str:
        """The secret again.

        Raises:
            SealBrokenError: sealed under another key or about something else, or no sealed text at all.
        """
        try:
            packed = base64.urlsafe_b64decode(sealed)
            return self._cipher.decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SealBrokenError(
                "the secret was shown when it was made and cannot be shown again, because the programme's signing key "
                "was replaced since: register anew"
            ) from error
