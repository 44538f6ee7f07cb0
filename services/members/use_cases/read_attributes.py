"""What a member has under the programme's attributes. Changes nothing but the record of who looked."""

from uuid import UUID

from services.members.domain.accesses import Access
from services.members.domain.attributes import Attribute, Entry
from services.members.domain.statement_errors import AttributeUnknownError
from services.members.repository import accesses, attributes
from services.members.sealing.attributes import read
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.open_key import open_key
from shared.database import Transaction

ATTRIBUTES_MAX = 1_000  # of one member


async def read_declared(transaction: Transaction, *, after: str | None, rows_max: int) -> list[Attribute]:
    """The attributes that the programme declared, by code."""
    return await attributes.load_attributes(transaction, after=after, rows_max=rows_max)


async def read_attributes(
    transaction: Transaction, access: Access, master_keys: MasterKeys
) -> list[tuple[Attribute, Entry]]:
    """What a member has, by code; that it was read stands in the record of accesses with the same commit.

    Raises:
        MemberNotFoundError, MemberGoneError
    """
    key = await open_key(transaction, access.member_id, master_keys)
    found = await attributes.load_entries(transaction, access.member_id, ATTRIBUTES_MAX)
    await accesses.record_access(transaction, access)
    return [(attribute, read(attribute, entry, key)) for attribute, entry in found]


async def read_attribute_history(
    transaction: Transaction, access: Access, code: str, master_keys: MasterKeys, *, before: UUID | None, rows_max: int
) -> list[tuple[Attribute, Entry]]:
    """All that was said of a member under one attribute, the newest recorded first; recorded like any other look.

    Raises:
        MemberNotFoundError, MemberGoneError, AttributeUnknownError
    """
    attribute = await attributes.find_attribute(transaction, code)
    if attribute is None:
        raise AttributeUnknownError("no attribute with this code is declared: see GET /v1/attributes")
    key = await open_key(transaction, access.member_id, master_keys)
    found = await attributes.load_history(transaction, access.member_id, code, before=before, rows_max=rows_max)
    await accesses.record_access(transaction, access)
    return [(attribute, read(attribute, entry, key)) for entry in found]
