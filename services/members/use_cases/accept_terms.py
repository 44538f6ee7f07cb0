"""A member accepts the programme's terms; what was accepted, and what still has to be."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.members.domain.errors import MemberNotFoundError
from services.members.domain.stated import stated_time
from services.members.domain.terms import Acceptance, Terms, judge_acceptance, still_to_accept
from services.members.repository import registry
from services.members.repository import terms as repository
from shared.database import Transaction

ACCEPTANCES_MAX = 1_000  # of one member; the newest are told


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client tells; a time that is left out is now."""

    acceptance_id: UUID
    member_id: UUID
    language: str
    terms_version: str
    source: str
    proof: str | None
    accepted_at: datetime | None
    recorded_by: str


async def accept_terms(transaction: Transaction, accepted: Accepted) -> Acceptance:
    """Keep that a member accepted a published version. Locks the member.

    Raises:
        MemberNotFoundError, TermsNotPublishedError, MemberGoneError, StatedInFutureError: nothing is kept.
    """
    member = await registry.lock_member(transaction, accepted.member_id)
    if member is None:
        raise MemberNotFoundError("there is no such member")
    found = await repository.find_terms(transaction, accepted.language, accepted.terms_version)
    judge_acceptance(member, None if found is None else found[0])
    acceptance = Acceptance(
        acceptance_id=accepted.acceptance_id,
        member_id=accepted.member_id,
        language=accepted.language,
        terms_version=accepted.terms_version,
        source=accepted.source,
        proof=accepted.proof,
        accepted_at=stated_time(accepted.accepted_at, transaction.now, field="/accepted_at"),
        recorded_at=transaction.now,
        recorded_by=accepted.recorded_by,
    )
    await repository.insert_acceptance(transaction, acceptance)
    return acceptance


async def read_acceptances(transaction: Transaction, member_id: UUID) -> tuple[list[Acceptance], list[Terms]]:
    """What a member accepted, the newest recorded first, and what still has to be: what counts, then what will.

    Raises:
        MemberNotFoundError: there is no such member.
    """
    found = await registry.find_member(transaction, member_id)
    if found is None:
        raise MemberNotFoundError("there is no such member")
    acceptances = await repository.load_acceptances(transaction, member_id, ACCEPTANCES_MAX)
    published = await repository.load_published(transaction)
    accepted = {each.terms_version for each in acceptances}
    return acceptances, still_to_accept(found[0], published, accepted, transaction.now)
