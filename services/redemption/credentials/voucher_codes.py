"""Vouchers' codes: made from chance, found by a keyed hash, kept sealed so that they can be shown again.

A copy of the tables gives no code away: both the hash and the seal (AES-256-GCM) are under keys that only the settings
have. A code of ours is made of 100 random bits; one that a partner brings may be weak, which is why the hash is keyed.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.redemption.domain.rewards.codes import ALPHABET, RANDOM_CHARACTERS, check_character
from shared.sealing import Seal, SealBrokenError

KEYS_MAX = 4
_KEY_BYTES = 32
_ENTRY = re.compile(r"^([A-Za-z0-9_-]{1,16}):([0-9a-fA-F]{64})$")


class InvalidVoucherKeysError(ValueError):
    """The setting cannot be read; the message says what form is expected and repeats nothing."""


class NoVoucherKeysError(Exception):
    """No voucher can be made or read without keys."""

    def __init__(self) -> None:
        super().__init__("this programme has no keys for vouchers' codes: set TESSERA_VOUCHER_KEYS")


class KeptCode(NamedTuple):
    """A code as it is kept: by what it is found, and sealed."""

    code_hash: str
    sealed_code: str


def new_code() -> str:
    """A code that nobody can guess, with its check character."""
    random_part = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return random_part + check_character(random_part)


class VoucherKeys:
    """The keys by their ids; the first one hashes and seals, all of them find and open. Never shown."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._seals = {key_id: Seal(key, "redemption/vouchers") for key_id, key in keys.items()}
        self._hash_keys = {key_id: _hash_key(key) for key_id, key in keys.items()}

    @classmethod
    def parse(cls, text: str) -> "VoucherKeys":
        """``<id>:<64 hex digits>``, separated by commas; empty for none.

        Raises:
            InvalidVoucherKeysError
        """
        if not text.strip():
            return cls({})
        found = [_ENTRY.match(entry.strip()) for entry in text.split(",")]
        keys = {entry[1]: bytes.fromhex(entry[2]) for entry in found if entry is not None}
        if len(keys) != len(found) or len(keys) > KEYS_MAX:
            raise InvalidVoucherKeysError(
                f"it must be up to {KEYS_MAX} entries <id>:<64 hex digits>, separated by commas, no id twice"
            )
        return cls(keys)

    def keep(self, code: str, reward_id: str) -> KeptCode:
        """A reward's code as it may be stored.

        Raises:
            NoVoucherKeysError
        """
        key_id = self._current_id()
        return KeptCode(self._hash(key_id, code), f"{key_id}.{self._seals[key_id].close(code, _about(reward_id))}")

    def open(self, sealed_code: str, reward_id: str) -> str:
        """The code again.

        Raises:
            SealBrokenError: it was sealed for another reward, or under a key that is not there any more.
        """
        key_id, _, sealed = sealed_code.partition(".")
        if key_id not in self._seals:
            raise SealBrokenError("the code was sealed under a key that is not among TESSERA_VOUCHER_KEYS any more")
        return self._seals[key_id].open(sealed, _about(reward_id))

    def hashes(self, code: str) -> tuple[str, ...]:
        """By what this code may be found, under every key.

        Raises:
            NoVoucherKeysError
        """
        self._current_id()
        return tuple(self._hash(key_id, code) for key_id in self._hash_keys)

    def _current_id(self) -> str:
        key_id = next(iter(self._seals), None)
        if key_id is None:
            raise NoVoucherKeysError
        return key_id

    def _hash(self, key_id: str, code: str) -> str:
        digest = hmac.digest(self._hash_keys[key_id], code.encode(), sha256)
        return f"{key_id}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _hash_key(key: bytes) -> bytes:
    info = b"tessera/redemption/voucher-hashes/1"
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(key)


def _about(reward_id: str) -> str:
    return f"voucher {reward_id}"
