"""Privileges as people declared them."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import asyncpg

from services.redemption.domain.privileges.life import Privilege
from services.redemption.domain.privileges.terms import PrivilegeTerms
from shared.database import Transaction

_COLUMNS = """
    terms::text, state, proposed_by, proposed_at, approved_by, approved_at, ended_by, ended_at, end_reason,
    revision
"""
_INSERT = """
    insert into redemption_privileges (privilege_id, terms, state, proposed_by, proposed_at, revision)
    values ($1, $2::text::jsonb, $3, $4, $5, $6)
    on conflict (privilege_id) do nothing
    returning privilege_id
"""
_LOCK = f"select {_COLUMNS} from redemption_privileges where privilege_id = $1 for no key update"
_FIND = f"select {_COLUMNS} from redemption_privileges where privilege_id = $1"
_UPDATE = """
    update redemption_privileges
    set state = $2, approved_by = $3, approved_at = $4, ended_by = $5, ended_at = $6, end_reason = $7, revision = $8
    where privilege_id = $1
"""
_LOAD_PAGE = f"""
    select {_COLUMNS}
    from redemption_privileges
    where $1::text is null or privilege_id > $1
    order by privilege_id
    limit $2
"""
_LOAD_REVISIONS = "select privilege_id, revision from redemption_privileges where state = 'approved'"
_LOAD_APPROVED = f"""
    select {_COLUMNS} from redemption_privileges where privilege_id = any($1::text[]) and state = 'approved'
"""


_LOAD = f"select {_COLUMNS} from redemption_privileges where privilege_id = any($1::text[])"


class Approved(NamedTuple):
    """The privileges that are approved, ended ones too, each with its revision: what a process has to know."""

    revisions: Mapping[str, int]
    changed: Mapping[str, Privilege]


async def insert(transaction: Transaction, privilege: Privilege) -> bool:
    """Write a proposal; False where its id is there already."""
    written = await transaction.raw.fetchval(
        _INSERT,
        privilege.terms.privilege_id,
        privilege.terms.model_dump_json(),
        privilege.state,
        privilege.proposed_by,
        privilege.proposed_at,
        privilege.revision,
    )
    return written is not None


async def lock(transaction: Transaction, privilege_id: str) -> Privilege | None:
    """The privilege of this id, locked to the commit."""
    row = await transaction.raw.fetchrow(_LOCK, privilege_id)
    return None if row is None else _privilege(row)


async def find(transaction: Transaction, privilege_id: str) -> Privilege | None:
    """The privilege of this id."""
    row = await transaction.raw.fetchrow(_FIND, privilege_id)
    return None if row is None else _privilege(row)


async def save(transaction: Transaction, privilege: Privilege) -> None:
    """Write what became of a privilege whose row is locked."""
    await transaction.raw.execute(
        _UPDATE,
        privilege.terms.privilege_id,
        privilege.state,
        privilege.approved_by,
        privilege.approved_at,
        privilege.ended_by,
        privilege.ended_at,
        privilege.end_reason,
        privilege.revision,
    )


async def load_page(transaction: Transaction, after: str | None, rows_max: int) -> list[Privilege]:
    """Privileges in the order of their ids."""
    return [_privilege(row) for row in await transaction.raw.fetch(_LOAD_PAGE, after, rows_max)]


async def load(transaction: Transaction, privilege_ids: Collection[str]) -> dict[str, Privilege]:
    """Privileges by their ids, whatever became of them; who is not there has none."""
    found = map(_privilege, await transaction.raw.fetch(_LOAD, sorted(privilege_ids)))
    return {privilege.terms.privilege_id: privilege for privilege in found}


async def load_approved(transaction: Transaction, known: Mapping[str, int]) -> Approved:
    """What is approved by now; of what changed since these revisions the terms too."""
    revisions = {row["privilege_id"]: row["revision"] for row in await transaction.raw.fetch(_LOAD_REVISIONS)}
    newer = [privilege_id for privilege_id, revision in revisions.items() if known.get(privilege_id) != revision]
    rows = await transaction.raw.fetch(_LOAD_APPROVED, newer) if newer else []
    changed = {one.terms.privilege_id: one for one in map(_privilege, rows)}
    # One that changed between the two statements is what the second one says.
    return Approved(revisions | {privilege_id: one.revision for privilege_id, one in changed.items()}, changed)


def _privilege(row: asyncpg.Record) -> Privilege:
    return Privilege(**dict(row) | {"terms": PrivilegeTerms.model_validate_json(row["terms"])})
