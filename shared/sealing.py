"""Keeps a secret that is shown once inside the stored answer, so that a retry gets it and a copy of the table does not.

An answer is stored so that the same request, sent again after a broken connection, is answered as the first was. With
a till's key, a client's secret or a confirmation's token in it, the answer is stored sealed (AES-256-GCM) and opened on
its way out. The sealing key is derived from one that the service guards already, so that no new secret has to be; when
that one is replaced, older answers cannot be opened any more.
"""

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class SealBrokenError(Exception):
    """The sealed secret cannot be opened: it was sealed under another key."""


class Seal:
    """Seals and opens secrets. ``about`` names whose secret it is; one sealed for another does not open.

    ``service`` divides the keys of services that begin with the same material.
    """

    def __init__(self, key_material: bytes, service: str) -> None:
        info = f"tessera/{service}/sealed-answers/1".encode()
        self._cipher = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key_material))

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
                "the secret was shown when it was made and cannot be shown again, because the key that it was sealed "
                "under was replaced since: ask for a new one"
            ) from error
