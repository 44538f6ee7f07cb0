"""What the audit log says of an administrative act. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

# Who acts when coalition brings clients to what its settings say; no client's id bears a slash, and a till's bears two.
SETTINGS_AUTHOR = "coalition/settings"

_SECRET_WORDS = ("secret", "password", "hash", "sha256", "key_material", "token")


class SecretAuditedError(Exception):
    """An act would have put a secret, or a digest of one, into the audit log: a fault of the code that records it."""


@dataclass(frozen=True, slots=True)
class Act:
    """One administrative act: who did what to which subject, and how the subject stood before and after.

    ``author`` is the caller's ``principal.client_id``. ``action`` is a noun and a past participle, as
    ``contract.approved``; ``subject`` is the id that the subject's events bear. ``partner_id`` says whose it is, None
    for the programme's own. ``before`` is None where something was made, ``after`` where it is gone; ``facts_of`` makes
    both. ``why`` is in the author's words and names no person.
    """

    author: str
    action: str
    subject: str
    partner_id: str | None
    before: Mapping[str, JsonValue] | None = None
    after: Mapping[str, JsonValue] | None = None
    why: str | None = None

    def __post_init__(self) -> None:
        for document in (self.before, self.after):
            if (name := _first_secret(document)) is not None:
                raise SecretAuditedError(f"{self.action} may not record {name}")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are asked for; None asks for all. ``since`` is included, ``until`` is not."""

    author: str | None = None
    action: str | None = None
    subject: str | None = None
    partner_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An act as it was recorded. ``entry_id`` rises with time."""

    entry_id: int
    at: datetime
    act: Act
    request_id: str | None


def facts_of(subject: Any) -> dict[str, JsonValue]:
    """The fields of a dataclass as JSON, for ``before`` and ``after``. What does not show in its repr is left out."""
    if not is_dataclass(subject) or isinstance(subject, type):
        raise TypeError("the facts of a dataclass only")
    return {
        each.name: to_jsonable_python(getattr(subject, each.name))
        for each in fields(subject)
        if each.repr and not _is_secret(each.name)
    }


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _first_secret(document: object) -> str | None:
    """The name of the first field, at any depth, that sounds like a secret."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            if _is_secret(str(name)):
                return str(name)
            if (found := _first_secret(value)) is not None:
                return found
    elif isinstance(document, list | tuple):
        for value in document:
            if (found := _first_secret(value)) is not None:
                return found
    return None
