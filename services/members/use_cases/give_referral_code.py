"""Give a member the code by which friends join."""

import secrets
from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.referral import ALPHABET, RANDOM_LENGTH, referral_code
from services.members.domain.statuses import judge_open
from services.members.repository import joining, registry
from shared.database import Transaction

DRAWS_MAX = 5


async def give_referral_code(transaction: Transaction, member_id: UUID) -> str:
    """The member's code, made if there is none yet: neither of its own, nor of one merged into it. Locks the member.

    Raises:
        MemberNotFoundError: there is no such member.
        MemberGoneError: merged, closed or erased.
    """
    member = await registry.lock_member(transaction, member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    judge_open(member.status)
    for _ in range(DRAWS_MAX):  # a code that was drawn may be somebody's, once in millions of times
        code = await joining.find_code(transaction, member_id)
        if code is not None:
            return code
        drawn = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
        await joining.save_code(transaction, member_id, referral_code(drawn))
    raise RuntimeError(f"{DRAWS_MAX} codes in a row were somebody's: the generator is broken")
