"""To whom an identifier belongs: at most one member, whoever asks first."""

from collections.abc import Collection, Sequence

from services.members.domain.errors import (
    AlreadyEnrolledError,
    IdentifierNotActiveError,
    IdentifierTakenError,
    IdentifierUnknownError,
    MemberNotFoundError,
)
from services.members.domain.registry import Claim, Identifier, IdentifierKind, Member
from services.members.domain.statuses import judge_open


def distinct_claims(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Each identifier once, in the order of hashes: that in which their rows are locked by everybody."""
    by_hash = {claim.hash: claim for claim in claims}
    return tuple(by_hash[key] for key in sorted(by_hash))


def judge_enrolment(email_hashes: Sequence[str], claims: Sequence[Claim], granted: Collection[str]) -> None:
    """Whether the new member got all that was asked for; ``granted`` holds the hashes that nobody had before.

    Raises:
        AlreadyEnrolledError: the e-mail address is a member's. Said first: it tells who this is.
        IdentifierTakenError: an identifier is another member's.
    """
    if any(email_hash not in granted for email_hash in email_hashes):
        raise AlreadyEnrolledError("a member with this e-mail address is enrolled already")
    if taken := sorted({claim.type for claim in claims if not granted_all(claim, granted)}):
        raise IdentifierTakenError(f"an identifier belongs to another member already: {', '.join(taken)}")


def granted_all(claim: Claim, granted: Collection[str]) -> bool:
    """Whether nobody had the identifier, under any of its hashes."""
    return all(claimed in granted for claimed in claim.hashes)


def judge_link(member: Member | None, identifier: Identifier) -> None:
    """Whether an identifier, just claimed or found there, may be told to be this member's.

    Raises:
        MemberNotFoundError: there is no such member.
        MemberGoneError: the member is merged, closed or erased.
        IdentifierTakenError: the identifier is another member's.
    """
    if member is None:
        raise MemberNotFoundError("there is no such member")
    if identifier.member_id != member.member_id:
        raise IdentifierTakenError(f"the identifier belongs to another member already: {identifier.type}")
    judge_open(member.status)


def choose_identifier(found: Sequence[Identifier], match_order: Sequence[IdentifierKind]) -> Identifier:
    """Of what was read at one till, the identifier that says who is there: the first in ``match_order`` in use.

    One that is blocked does not hide another one: a member who has lost a card still has a phone.

    Raises:
        IdentifierUnknownError: none is anybody's.
        IdentifierNotActiveError: none is in use.
    """
    if not found:
        raise IdentifierUnknownError("the identifier belongs to no member")
    ordered = sorted(found, key=lambda identifier: match_order.index(identifier.type))
    for identifier in ordered:
        if identifier.state == "active":
            return identifier
    raise IdentifierNotActiveError(ordered[0].state)
