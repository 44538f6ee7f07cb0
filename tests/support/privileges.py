"""Privileges for tests: declared by two people, and asked for at a till."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.redemption.domain.privileges.terms import PrivilegeTerms
from services.redemption.domain.write_off.quoting import BasketLine
from services.redemption.programme import ApprovedPrivileges, Programme, PublishedWriteOffRules
from services.redemption.use_cases.check_privileges import Checked, check_privileges
from services.redemption.use_cases.declare_privileges import approve_privilege, propose_privilege
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.quote_points import Asked
from shared.database import Transaction
from tests.support.redemption import PROGRAMME, Spending

TENTH = {"kind": "percent", "percent": 10}


def terms(privilege_id: str, benefit: dict[str, Any] | None = None, **others: Any) -> PrivilegeTerms:
    """A privilege of every member, unless it is said otherwise."""
    said = {"name": f"The {privilege_id}", "entitlement": {"kind": "everyone"}, "first_day": "2026-01-01"} | others
    return PrivilegeTerms.model_validate({"privilege_id": privilege_id, "benefit": benefit or TENTH} | said)


async def declared(spending: Spending, *declared: PrivilegeTerms, programme: Programme = PROGRAMME) -> Programme:
    """A process that knows these privileges, which two people agreed on."""

    async def work(transaction: Transaction) -> None:
        for one in declared:
            await propose_privilege(transaction, one, "alice")
            await approve_privilege(transaction, one.privilege_id, "bob")

    await spending.do(work)
    programme = replace(programme, privileges=ApprovedPrivileges(), write_off=PublishedWriteOffRules())
    await spending.do(programme.privileges.refresh)
    return programme


async def checked(
    spending: Spending,
    programme: Programme,
    member_id: UUID,
    lines: Sequence[BasketLine] = (BasketLine(1, 1_000),),
    partner_id: str = "grocer",
    store_id: str | None = None,
) -> Checked:
    """What a member has at a till."""
    asked = Asked(partner_id, list(lines), [None] * len(lines), store_id)
    return await spending.do(lambda transaction: check_privileges(transaction, Spender(member_id), asked, programme))


def applied(found: Checked) -> dict[str, int]:
    """What each privilege takes off."""
    return {one.terms.privilege_id: one.given.amount_minor if one.given else 0 for one in found.applied}
