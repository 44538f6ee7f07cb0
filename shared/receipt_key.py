"""A receipt's natural key: its identity for ever, as bytes that sort like the key itself.

The till declares once which scheme numbers its documents. The bytes are what claims are keyed by: texts as UTF-8,
trimmed, ended by 00 (a 00 inside is written 00 FF); dates and numbers as 8 bytes, big-endian. Because a date comes
early, keys of one day lie side by side in the index, which keeps its pages warm.
"""

import base64
import binascii
from datetime import date
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints, TypeAdapter

from shared.as_written import Day

KEY_BYTES_MAX = 512
NUMBER_MAX = 2**63 - 1

KeyText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
]
KeyNumber = Annotated[StrictInt, Field(ge=0, le=NUMBER_MAX)]


class MalformedReceiptIdError(ValueError):
    """The text is not a receipt id that this programme could have given out."""


class _Scheme(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SequenceKey(_Scheme):
    """A till that counts its receipts within a shift of a business date."""

    scheme: Literal["sequence"]
    store_id: KeyText
    till_id: KeyText
    business_date: Day
    shift: KeyNumber
    number: KeyNumber


class FiscalKey(_Scheme):
    """A fiscal device: the drive's number, and the document's within the drive (the receipt number restarts)."""

    scheme: Literal["fiscal"]
    drive: KeyText
    number: KeyNumber


class DocumentKey(_Scheme):
    """Orders and card transactions: a source and its document number, which may bear letters.

    Leading zeros do not make another document.
    """

    scheme: Literal["document"]
    source: KeyText
    number: KeyText


ReceiptKey = Annotated[SequenceKey | FiscalKey | DocumentKey, Field(discriminator="scheme")]


def encode_receipt_key(partner_id: str, key: SequenceKey | FiscalKey | DocumentKey) -> bytes:
    """The natural key's bytes. Two documents have equal bytes only if they are the same document."""
    prefix = _text(partner_id) + _text(key.scheme)
    match key:
        case SequenceKey():
            day = key.business_date.toordinal()
            return (
                prefix
                + _number(day)
                + _text(key.store_id)
                + _text(key.till_id)
                + _number(key.shift)
                + _number(key.number)
            )
        case FiscalKey():
            return prefix + _text(key.drive) + _number(key.number)
        case DocumentKey():
            return prefix + _text(key.source) + _text(key.number.lstrip("0") or "0")
        case _:
            assert_never(key)


def receipt_id_of(natural_key: bytes) -> str:
    """The natural key as it stands in URLs and events: base64url without padding."""
    return base64.urlsafe_b64encode(natural_key).rstrip(b"=").decode()


def natural_key_of(receipt_id: str) -> bytes:
    """The inverse of ``receipt_id_of``.

    Raises:
        MalformedReceiptIdError: not base64url, too long, or not written as we write it.
    """
    if len(receipt_id) > KEY_BYTES_MAX * 4 // 3 + 4:
        raise MalformedReceiptIdError("a receipt id is at most 512 bytes in base64url")
    try:
        # Lenient, and so twice as fast: what it skips is not there when the bytes are written again.
        natural_key = base64.urlsafe_b64decode(receipt_id + "=" * (-len(receipt_id) % 4))
    except (binascii.Error, ValueError) as error:
        raise MalformedReceiptIdError("a receipt id is base64url without padding") from error
    if not natural_key or receipt_id_of(natural_key) != receipt_id:
        raise MalformedReceiptIdError("a receipt id is base64url without padding")
    return natural_key


def partner_of(natural_key: bytes) -> str:
    """The partner whose document this is: the key's first text."""
    try:
        partner_id, _ = _read_text(natural_key, 0)
    except MalformedReceiptIdError as error:
        raise MalformedReceiptIdError("a receipt id starts with its partner") from error
    return partner_id


def decode_receipt_key(natural_key: bytes) -> tuple[str, SequenceKey | FiscalKey | DocumentKey]:
    """The partner, and the key within the partner: the inverse of ``encode_receipt_key``.

    What does not tell two documents apart is not there any more: blanks around texts, zeros before a document's number.

    Raises:
        MalformedReceiptIdError: these are not the bytes of a key.
    """
    partner_id, at = _read_text(natural_key, 0)
    scheme, at = _read_text(natural_key, at)
    fields: list[str | int] = []
    for is_text in _FIELDS.get(scheme, ()):
        field, at = _read_text(natural_key, at) if is_text else _read_number(natural_key, at)
        fields.append(field)
    if not fields or at != len(natural_key):
        raise MalformedReceiptIdError("a receipt id ends with the last field of its scheme")
    try:
        key = _KEYS.validate_python(_named(scheme, fields))
    except ValueError as error:
        raise MalformedReceiptIdError("a receipt id holds the fields of its scheme") from error
    if encode_receipt_key(partner_id, key) != natural_key:
        raise MalformedReceiptIdError("a receipt id is written as this programme writes it")
    return partner_id, key


_FIELDS: dict[str, tuple[bool, ...]] = {
    "sequence": (False, True, True, False, False),
    "fiscal": (True, False),
    "document": (True, True),
}
_KEYS: TypeAdapter[SequenceKey | FiscalKey | DocumentKey] = TypeAdapter(ReceiptKey)


def _named(scheme: str, fields: list[str | int]) -> dict[str, object]:
    match scheme, fields:
        case "sequence", [int(day), store_id, till_id, shift, number]:
            return {
                "scheme": scheme,
                "store_id": store_id,
                "till_id": till_id,
                "business_date": date.fromordinal(min(day, date.max.toordinal())),
                "shift": shift,
                "number": number,
            }
        case "fiscal", [drive, number]:
            return {"scheme": scheme, "drive": drive, "number": number}
        case _:
            return {"scheme": scheme, "source": fields[0], "number": fields[1]}


def _read_text(natural_key: bytes, start: int) -> tuple[str, int]:
    end = start
    while (end := natural_key.find(b"\x00", end)) != -1 and natural_key[end + 1 : end + 2] == b"\xff":
        end += 2
    if end <= start:
        raise MalformedReceiptIdError("a text of a receipt id is not empty and ends with 00")
    try:
        return natural_key[start:end].replace(b"\x00\xff", b"\x00").decode(), end + 1
    except UnicodeDecodeError as error:
        raise MalformedReceiptIdError("a text of a receipt id is UTF-8") from error


def _read_number(natural_key: bytes, start: int) -> tuple[int, int]:
    if len(natural_key) < start + 8:
        raise MalformedReceiptIdError("a number of a receipt id has 8 bytes")
    return int.from_bytes(natural_key[start : start + 8], "big"), start + 8


def _text(value: str) -> bytes:
    return value.strip().encode().replace(b"\x00", b"\x00\xff") + b"\x00"


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big")
