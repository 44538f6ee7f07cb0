"""A person as one sealed text. What is absent is left out; unknown fields of a newer version are an error, not lost."""

from dataclasses import asdict
from datetime import date
from typing import Any

import orjson

from services.members.domain.registry import Address, Person
from services.members.sealing.member_keys import MemberKey

PERSON_FIELDS = "person"


def seal_person(key: MemberKey, person: Person) -> bytes:
    """The person, readable with this member's key alone."""
    fields = {name: value for name, value in asdict(person).items() if value is not None}
    return key.seal(PERSON_FIELDS, orjson.dumps(fields))


def open_person(key: MemberKey, sealed: bytes) -> Person:
    """The person again.

    Raises:
        SealBrokenError
    """
    fields: dict[str, Any] = orjson.loads(key.open(PERSON_FIELDS, sealed))
    if (born := fields.pop("birth_date", None)) is not None:
        fields["birth_date"] = date.fromisoformat(born)
    if (address := fields.pop("address", None)) is not None:
        fields["address"] = Address(lines=tuple(address.pop("lines")), **address)
    return Person(**fields)
