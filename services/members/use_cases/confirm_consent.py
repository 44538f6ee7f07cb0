"""Somebody presents the token that a pending consent waits for."""

from services.members.domain.consents import Consent, judge_confirmation, judge_speaker
from services.members.domain.errors import MemberMergedError, MemberNotFoundError
from services.members.domain.statement_errors import ConfirmationUnknownError
from services.members.repository import consents, registry
from services.members.use_cases.check_field import note_confirmed_address
from services.members.use_cases.record_consent import let_hold
from shared.database import Transaction
from shared.database.errors import StartAgainError


async def confirm_consent(
    transaction: Transaction, token_sha256: bytes, *, only_partner: str | None, confirmed_by: str
) -> Consent:
    """Let the pending consent hold, and record ConsentChanged. A token works once. Locks the member.

    ``only_partner`` is the partner that the caller is bound to: a token of anybody else's consent is unknown to it.

    Raises:
        ConfirmationUnknownError, ConfirmationUsedError, ConsentSupersededError, ConfirmationExpiredError,
        MemberNotFoundError, MemberGoneError: nothing changes.
    """
    found = await consents.find_confirmation(transaction, token_sha256)
    if found is None or (only_partner is not None and found.statement.key.partner_id != only_partner):
        raise ConfirmationUnknownError("no consent waits for this token: check that it was copied whole")
    key = found.statement.key
    try:
        member = await registry.lock_member(transaction, key.member_id)
    except MemberMergedError as merged:  # while its row was waited for: the consent is the survivor's by now
        raise StartAgainError("the member was merged away meanwhile") from merged
    if member is None:
        raise MemberNotFoundError("there is no such member")
    judge_speaker(member, is_granted=found.statement.is_granted)
    present = await consents.find_consent(transaction, key)
    # Read again: it may have been settled while the member's row was waited for.
    confirmation = judge_confirmation(
        await consents.find_confirmation(transaction, token_sha256), present, transaction.now
    )
    await consents.settle_confirmation(transaction, confirmation, confirmed_by)
    await note_confirmed_address(transaction, confirmation.statement, confirmed_by)
    return await let_hold(transaction, confirmation.statement, present)
