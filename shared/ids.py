"""Identities: UUIDv7 for what we create, and the keyed hash that stands for what a till reads.

An identifier (card number, phone, token) is personal data. Outside the registry it exists only as the HMAC made here;
nobody hashes elsewhere, so that a key change has one place to happen.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import phonenumbers
import uuid_utils
import uuid_utils.compat

_CARD_SEPARATORS = re.compile(r"[\s\-./]+")
_CARD_FORM = re.compile(r"[0-9A-Z]{4,40}")
TOKEN_LENGTH_MAX = 512
OPERATOR_LENGTH_MAX = 64
EMAIL_LENGTH_MAX = 320


class InvalidIdentifierError(ValueError):
    """The value cannot be an identifier of its type; the message says why and what form is expected."""


class IdentifierType(StrEnum):
    """What a till can read. Two more are hashed like these: a cashier's staff number (``OPERATOR``), and the ``EMAIL``
    by which the registry tells that a person is enrolled already; no event names either type.
    """

    CARD = "card"
    PHONE = "phone"
    TOKEN = "token"  # noqa: S105 -- the name of a type, not a secret  # nosec B105
    OPERATOR = "operator"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class IdentifierKey:
    """The secret that identifiers are hashed with, and its version; the version is part of every hash."""

    version: int
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) < 32:
            raise ValueError("the identifier key needs at least 32 bytes: set TESSERA_IDENTIFIER_KEY to 64 hex digits")

    def __repr__(self) -> str:
        return f"IdentifierKey(version={self.version}, secret=…)"


@dataclass(frozen=True, slots=True)
class IdentifierKeys:
    """The keys that are valid: one, or two while identifiers are re-keyed. ``present`` is what doors hash with; what
    bears the hash of the ``second`` is known all the same, be it the key of yesterday or that of tomorrow.
    """

    present: IdentifierKey
    second: IdentifierKey | None = None

    def __post_init__(self) -> None:
        if self.second is None:
            return
        if self.second.version == self.present.version:
            raise ValueError("two identifier keys are valid under one version: give the second a version of its own")
        if hmac.compare_digest(self.second.secret, self.present.secret):
            raise ValueError("the second identifier key is the first one again: make a new one")

    @property
    def oldest(self) -> IdentifierKey:
        """The one with the lower version: while two are valid it stays the same, whichever of them is the present one.

        For what is compared within days and kept no longer, like the fingerprint of a request.
        """
        return min(self._all, key=lambda key: key.version)

    @property
    def versions(self) -> frozenset[int]:
        """Of the keys that are valid."""
        return frozenset(key.version for key in self._all)

    def hashes(self, kind: IdentifierType, normal_form: str) -> tuple[str, ...]:
        """What may stand for an identifier: the hash under the present key, then that under the second."""
        return tuple(hash_identifier(kind, normal_form, key) for key in self._all)

    @property
    def _all(self) -> tuple[IdentifierKey, ...]:
        return (self.present,) if self.second is None else (self.present, self.second)


def new_id() -> UUID:
    """A new UUIDv7: unique everywhere, rising with time, so that indexes grow at their end."""
    return uuid_utils.compat.uuid7()


def new_id_text() -> str:
    """The same as text, for what is written to the wire at once: seven times as fast as by way of the object."""
    return str(uuid_utils.uuid7())


def normalise_identifier(kind: IdentifierType, value: str, country: str) -> str:
    """The one form in which an identifier is compared.

    A card keeps its letters and digits, upper case, leading zeros kept. A phone becomes E.164, read with the
    programme's ``country`` (ISO 3166 alpha-2) where it bears no prefix. Tokens and operators stand as they are,
    trimmed. An e-mail address, validated before, loses its letter case: the same address written otherwise is the
    same person.

    Raises:
        InvalidIdentifierError: the value cannot be of this type.
    """
    match kind:
        case IdentifierType.CARD:
            card = _CARD_SEPARATORS.sub("", value).upper()
            if not _CARD_FORM.fullmatch(card):
                raise InvalidIdentifierError("a card number has 4 to 40 letters and digits, separators aside")
            return card
        case IdentifierType.PHONE:
            return _e164(value, country)
        case IdentifierType.TOKEN:
            return _as_is(value, TOKEN_LENGTH_MAX)
        case IdentifierType.OPERATOR:
            return _as_is(value, OPERATOR_LENGTH_MAX)
        case IdentifierType.EMAIL:
            return _as_is(value, EMAIL_LENGTH_MAX).casefold()


def hash_identifier(kind: IdentifierType, normal_form: str, key: IdentifierKey) -> str:
    """HMAC-SHA-256 over ``type:normal form``, written ``<key version>.<base64url>``. Equal inputs give equal hashes."""
    digest = hmac.digest(key.secret, f"{kind.value}:{normal_form}".encode(), "sha256")
    return f"{key.version}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def key_version_of(identifier_hash: str) -> int:
    """The version of the key that a hash was made with."""
    return int(identifier_hash.partition(".")[0])


def _e164(value: str, country: str) -> str:
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException as error:
        raise InvalidIdentifierError("not a phone number: write it as +<country code><number>") from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidIdentifierError("not a possible phone number: its length does not fit its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _as_is(value: str, length_max: int) -> str:
    text = value.strip()
    if not 1 <= len(text) <= length_max or not text.isprintable():
        raise InvalidIdentifierError(f"expected 1 to {length_max} printable characters")
    return text
