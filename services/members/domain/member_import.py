"""A partner's file of members: its columns, how far it was taken in, and what became of its lines. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

ImportState: TypeAlias = Literal["open", "finished"]

REQUIRED_COLUMNS = ("given_name", "family_name", "email")
# Columns of the address lines, and of what tills read; all others bear the names that enrolling over HTTP has.
_ADDRESS_LINES = ("address_line_1", "address_line_2", "address_line_3")
_ADDRESS = ("postal_code", "city", "country")
_READ_AT_TILLS = (("card", "card"), ("card_2", "card"), ("identifying_phone", "phone"), ("token", "token"))
_IDENTIFIERS = dict(_READ_AT_TILLS)
_PLAIN = (*REQUIRED_COLUMNS, "phone", "birth_date", "language", "region")
COLUMNS = (*_PLAIN, *_ADDRESS_LINES, *_ADDRESS, *_IDENTIFIERS)


class ImportNotFoundError(Exception):
    """There is no such import, or it is another partner's."""


@dataclass(frozen=True, slots=True)
class Import:
    """How far a file was taken in. ``content_digest`` is of all records up to ``records_taken``."""

    import_id: UUID
    partner_id: str | None
    language: str
    region: str | None
    state: ImportState
    records_taken: int
    enrolled: int
    refused: int
    content_digest: bytes
    created_by: str
    created_at: datetime
    finished_at: datetime | None


def enrolment_of(columns: Sequence[str], fields: Sequence[str], language: str, region: str | None) -> dict[str, Any]:
    """A record as the body of an enrolment; what is empty is absent. ``language`` and ``region`` where it says none."""
    said = {column: value for column, value in zip(columns, fields, strict=True) if value}
    body: dict[str, Any] = {"language": language}
    if region is not None:
        body["region"] = region
    body |= {name: said[name] for name in _PLAIN if name in said}
    lines = [said[name] for name in _ADDRESS_LINES if name in said]
    if lines or any(name in said for name in _ADDRESS):
        body["address"] = {"lines": lines} | {name: said[name] for name in _ADDRESS if name in said}
    body["identifiers"] = [
        {"type": kind, "value": said[column]} for column, kind in _IDENTIFIERS.items() if column in said
    ]
    return body


def column_of(filled: Collection[str], location: Sequence[int | str]) -> str | None:
    """The column that a place in an enrolment's body comes from, of those that were filled; None if no single one."""
    match list(location):
        case ["identifiers", int(index), *_]:
            return [column for column in _IDENTIFIERS if column in filled][index]
        case ["address", "lines", int(index), *_]:
            return [column for column in _ADDRESS_LINES if column in filled][index]
        case ["address", str(name), *_] if name in _ADDRESS:
            return name
        case [str(name), *_] if name in COLUMNS:
            return name
        case _:
            return None
