"""What a member allows, and all that was said about it. Changes nothing."""

from uuid import UUID

from services.members.domain.consents import Confirmation, Consent, ConsentText, Statement
from services.members.domain.errors import MemberNotFoundError
from services.members.repository import consent_texts, consents, registry
from shared.database import Transaction

# Purposes by channels by partners of one member: a programme has dozens.
CONSENTS_MAX = 1_000


async def read_consents(
    transaction: Transaction, member_id: UUID, *, only_partner: str | None
) -> tuple[list[Consent], list[Confirmation]]:
    """What holds, and what waits for its confirmation; at most ``CONSENTS_MAX`` of each.

    Raises:
        MemberNotFoundError: there is no such member.
    """
    await _must_exist(transaction, member_id)
    holding = await consents.load_consents(transaction, member_id, only_partner=only_partner, rows_max=CONSENTS_MAX)
    awaited = await consents.load_awaited(transaction, member_id, only_partner=only_partner, rows_max=CONSENTS_MAX)
    return holding, awaited


async def read_consent_history(
    transaction: Transaction, member_id: UUID, *, only_partner: str | None, before: UUID | None, rows_max: int
) -> list[tuple[Statement, Confirmation | None]]:
    """Everything that was said, the newest recorded first, each with its confirmation where it needs one.

    Raises:
        MemberNotFoundError: there is no such member.
    """
    await _must_exist(transaction, member_id)
    return await consents.load_history(
        transaction, member_id, only_partner=only_partner, before=before, rows_max=rows_max
    )


async def read_consent_texts(
    transaction: Transaction, *, after: tuple[str, str, str, str] | None, rows_max: int
) -> list[ConsentText]:
    """The texts that were declared, by purpose, channel, version and language."""
    return await consent_texts.load_texts(transaction, after=after, rows_max=rows_max)


async def _must_exist(transaction: Transaction, member_id: UUID) -> None:
    if not await registry.has_member(transaction, member_id):
        raise MemberNotFoundError("there is no such member")
