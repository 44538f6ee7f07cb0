"""Dynamic QR tokens: a member shows one, a till reads it, and any service checks it without asking another.

A token is ``TQ1.<key id>.<session>.<sealed>``. The session names the till conversation that the token is for, and
stands in the clear, since quote, hold and receipt carry it. Who the member is and when the token was issued is sealed
by AES-256-GCM under a key that services alone have: a till can neither read nor make it, and two tokens of one member
have nothing in common. The seal covers the session too, so that it cannot be exchanged.

Times are business times: a receipt's is compared with them.
"""

import base64
import binascii
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "TQ1."
LIFE = timedelta(seconds=60)
# A till's own clock may be off by this when it dates a receipt, and services' clocks differ by milliseconds.
RECEIPT_CLOCK_TOLERANCE = timedelta(minutes=2)
HOLD_CLOCK_TOLERANCE = timedelta(seconds=1)
KEYS_MAX = 4
NONCE_BYTES = 12

_ENTRY = re.compile(r"^([A-Za-z0-9_-]{1,16}):([0-9a-fA-F]{64})$")
_TOKEN = re.compile(r"^TQ1\.([A-Za-z0-9_-]{1,16})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{20,200})$")
_CONTENT = struct.Struct(">16sq")  # member id, microseconds since the epoch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class InvalidQrTokenError(ValueError):
    """This is no token of ours, or not one that counts now; the message says which and repeats nothing."""


class InvalidQrKeysError(ValueError):
    """The setting cannot be read; the message says what form is expected and repeats nothing."""


@dataclass(frozen=True, slots=True)
class QrToken:
    """A token that one of our keys has sealed. Whether it counts is a matter of time: see ``require``."""

    member_id: UUID
    session_id: UUID
    issued_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When it stops counting."""
        return self.issued_at + LIFE

    def require(self, at: datetime, tolerance: timedelta) -> None:
        """Raises InvalidQrTokenError unless the token counted at this time, give or take ``tolerance``."""
        if at > self.expires_at + tolerance:
            raise InvalidQrTokenError("the QR token has expired: show a new one")
        if at < self.issued_at - tolerance:
            raise InvalidQrTokenError("the QR token was issued later than this: check the till's clock")


class QrKeys:
    """The keys by their ids; the first seals, all of them open. Without any, there are no QR tokens. Never shown."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current_id = next(iter(keys), None)

    @classmethod
    def parse(cls, text: str) -> "QrKeys":
        """``<id>:<64 hex digits>``, separated by commas; empty for none.

        Raises:
            InvalidQrKeysError
        """
        if not text.strip():
            return cls({})
        found = [_ENTRY.match(entry.strip()) for entry in text.split(",")]
        keys = {entry[1]: bytes.fromhex(entry[2]) for entry in found if entry is not None}
        if len(keys) != len(found) or len(keys) > KEYS_MAX:
            raise InvalidQrKeysError(
                f"it must be up to {KEYS_MAX} entries <id>:<64 hex digits>, separated by commas, no id twice"
            )
        return cls(keys)

    def seal(self, token: QrToken, nonce: bytes) -> str:
        """The token as text. ``nonce`` is ``NONCE_BYTES`` of randomness, new for each token.

        Raises:
            InvalidQrTokenError: the programme has no key for QR tokens.
        """
        if self._current_id is None:
            raise InvalidQrTokenError("this programme has no QR tokens")
        head = f"{PREFIX}{self._current_id}.{_encode(token.session_id.bytes)}"
        microseconds = (token.issued_at - _EPOCH) // timedelta(microseconds=1)
        content = _CONTENT.pack(token.member_id.bytes, microseconds)
        return f"{head}.{_encode(nonce + self._ciphers[self._current_id].encrypt(nonce, content, head.encode()))}"

    def open(self, text: str) -> QrToken:
        """What a token says, whenever it was issued.

        Raises:
            InvalidQrTokenError: malformed, altered, or sealed under a key that is not there.
        """
        text = text.strip()
        match = _TOKEN.match(text)
        cipher = self._ciphers.get(match[1]) if match is not None else None
        if match is None or cipher is None:
            raise InvalidQrTokenError("not a QR token of this programme: read it again, or show a new one")
        try:
            packed = _decode(match[3])
            head = text[: match.start(3) - 1]
            content = cipher.decrypt(packed[:NONCE_BYTES], packed[NONCE_BYTES:], head.encode())
            member_id, microseconds = _CONTENT.unpack(content)
            session_id = UUID(bytes=_decode(match[2]))
        except (InvalidTag, binascii.Error, ValueError, struct.error):
            raise InvalidQrTokenError("not a QR token of this programme: read it again, or show a new one") from None
        return QrToken(UUID(bytes=member_id), session_id, _EPOCH + timedelta(microseconds=microseconds))


def is_qr_token(value: str) -> bool:
    """Whether a till has read a dynamic token: no identifier of the registry may begin like one."""
    return value.lstrip().startswith(PREFIX)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
