"""``/v1/vouchers``: what members have of rewards; it is issued below its reward."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import TypeAdapter

from services.redemption import metrics
from services.redemption.api.reward_refusals import ask_again, refused
from services.redemption.credentials.voucher_codes import VoucherKeys, new_code
from services.redemption.domain.errors import FactsBehindError, UnknownMemberError
from services.redemption.domain.gifting import MergeUnderWayError
from services.redemption.domain.rewards.codes import grouped
from services.redemption.domain.rewards.entitlement import RewardRefusedError
from services.redemption.domain.rewards.errors import UnknownVoucherError
from services.redemption.programme import Programme
from services.redemption.repository import projections, vouchers
from services.redemption.schemas.vouchers import (
    CancelBody,
    ConfirmBody,
    DeliverBody,
    IssueBody,
    IssuedVoucherAnswer,
    VoucherAnswer,
    VoucherBalanceAnswer,
    VoucherCodeAnswer,
)
from services.redemption.use_cases.close_vouchers import cancel_voucher
from services.redemption.use_cases.issue_reward import Issued, RewardWish, confirm_voucher, issue_reward
from services.redemption.use_cases.use_voucher import deliver_voucher
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    opened,
    problems,
    refuse_partners,
    requires,
)

Issuer = Annotated[Principal, requires("rewards:issue")]
Reader = Annotated[Principal, requires("rewards:read")]

_POSITION = TypeAdapter(tuple[datetime, UUID])
_WHAT = "Rewards are given to members"
_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


async def _require_remembered(database: Database, voucher_id: UUID) -> None:
    """A kept answer has the code in it, which is shown to nobody once its member is erased: not even to a retry."""
    async with database.transaction() as transaction:
        if await vouchers.is_forgotten(transaction, voucher_id):
            raise UnknownVoucherError


def _with_open_code(keys: VoucherKeys, answer: IssuedVoucherAnswer) -> IssuedVoucherAnswer:
    if answer.code is None:
        return answer
    return answer.model_copy(update={"code": grouped(keys.open(answer.code, answer.reward_id))})


def issuing_router(database: Database, programme: Programme, keys: VoucherKeys, reserved_for: timedelta) -> APIRouter:
    """Giving rewards to members, on this process's database."""
    router = APIRouter(prefix="/v1/rewards/{reward_id}", tags=["vouchers"])

    @router.post(
        "/issue",
        status_code=201,
        response_model=IssuedVoucherAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
    )
    async def issue(
        reward_id: Annotated[CodeText, Path()], body: IssueBody, principal: Issuer, key: IdempotencyKey
    ) -> Response:
        """Give a member one piece of a reward. Its points are reserved until the voucher is closed; its code counts
        from now on. Refused (409) with what is in the way; a large price is answered with 503 while the facts about
        members are old.
        """
        refuse_partners(principal, _WHAT)
        await _require_remembered(database, body.voucher_id)
        code = keys.keep(new_code(), reward_id)
        wish = RewardWish(body.voucher_id, reward_id, body.member_id, principal.client_id, code, body.reserve)
        outcomes: list[str] = []

        async def work(transaction: Transaction) -> Answer:
            issued = await _issue(transaction, wish, programme, reserved_for, outcomes)
            return Answer(
                201,
                IssuedVoucherAnswer.with_code(
                    issued.voucher, issued.balance, issued.sealed_code, programme.point_types
                ),
            )

        try:
            response = await idempotent(database, principal, key, body, work)
        finally:  # a replayed answer decided nothing; of several attempts the last one stands
            if outcomes:
                metrics.REWARDS.labels(outcomes[-1]).inc()
        return opened(response, IssuedVoucherAnswer, partial(_with_open_code, keys))

    return router


def confirming_router(database: Database, programme: Programme, keys: VoucherKeys) -> APIRouter:
    """Issuing what was reserved, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["vouchers"])

    @router.post("/vouchers/{voucher_id}/confirm", response_model=IssuedVoucherAnswer, responses=_PROBLEMS)
    async def confirm(voucher_id: UUID, body: ConfirmBody, principal: Issuer, key: IdempotencyKey) -> Response:
        """Issue a voucher that is reserved: what it costs was paid. From now on its code counts. One that is issued
        already stays as it is; one whose reservation lapsed is refused (409)."""
        refuse_partners(principal, _WHAT)
        await _require_remembered(database, voucher_id)

        async def work(transaction: Transaction) -> Answer:
            issued = await confirm_voucher(transaction, voucher_id, body.paid_minor)
            types = programme.point_types
            return Answer(200, IssuedVoucherAnswer.with_code(issued.voucher, issued.balance, issued.sealed_code, types))

        response = await idempotent(database, principal, key, body, work)
        return opened(response, IssuedVoucherAnswer, partial(_with_open_code, keys))

    return router


async def _issue(
    transaction: Transaction, wish: RewardWish, programme: Programme, reserved_for: timedelta, outcomes: list[str]
) -> Issued:
    try:
        issued = await issue_reward(transaction, wish, programme, reserved_for)
    except RewardRefusedError as error:
        outcomes.append(error.reason)
        raise refused(error) from None
    except (FactsBehindError, MergeUnderWayError) as error:
        outcomes.append("facts_behind")
        raise ask_again(error) from None
    outcomes.append("repeat" if issued.is_repeat else issued.voucher.state.value)
    return issued


def vouchers_router(database: Database, programme: Programme, keys: VoucherKeys) -> APIRouter:
    """Vouchers as they stand, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["vouchers"])
    types = programme.point_types

    @router.get("/vouchers/{voucher_id}", responses=problems(401, 403, 404, 422))
    async def read(voucher_id: UUID, principal: Reader) -> VoucherAnswer:
        """A voucher, without its code. A partner's client does not find another partner's."""
        async with database.transaction() as transaction:
            voucher = await vouchers.find(transaction, voucher_id)
        if voucher is None or not principal.sees(voucher.partner_id):
            raise UnknownVoucherError
        return VoucherAnswer.of(voucher, types)

    @router.get("/vouchers/{voucher_id}/code", responses=problems(401, 403, 404, 409, 422))
    async def read_code(voucher_id: UUID, principal: Issuer, response: Response) -> VoucherCodeAnswer:
        """A voucher's code, to be shown to its member again, as long as it stands for something."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            voucher = await vouchers.find(transaction, voucher_id)
            if voucher is None or await vouchers.is_forgotten(transaction, voucher_id):
                raise UnknownVoucherError
            voucher.require_usable(transaction.now)
            sealed_code = await vouchers.find_sealed_code(transaction, voucher_id)
        if sealed_code is None:
            raise UnknownVoucherError
        response.headers["Cache-Control"] = "no-store"
        return VoucherCodeAnswer(voucher_id=voucher_id, code=grouped(keys.open(sealed_code, voucher.reward_id)))

    @router.get("/members/{member_id}/vouchers", responses=problems(400, 401, 403, 404, 422))
    async def list_vouchers(member_id: UUID, principal: Reader, paging: Paging) -> Page[VoucherAnswer]:
        """A member's vouchers, newest first, for the programme's own clients: of members who were merged they are the
        survivor's, under either id."""
        refuse_partners(principal, "Members' vouchers are")
        position = paging.position(_POSITION)
        async with database.transaction() as transaction:
            if not await projections.is_member(transaction, member_id):
                raise UnknownMemberError
            found = await vouchers.load_of_member(transaction, member_id, position, paging.limit + 1)
        shown = found[: paging.limit]
        last = [value for voucher in shown[-1:] for value in (voucher.issued_at, voucher.voucher_id)]
        return Page.of(found, paging.limit, [VoucherAnswer.of(voucher, types) for voucher in shown], last)

    return router


def voucher_steps_router(database: Database, programme: Programme) -> APIRouter:
    """What becomes of vouchers, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["vouchers"])
    types = programme.point_types

    @router.post("/vouchers/{voucher_id}/deliver", response_model=VoucherAnswer, responses=_PROBLEMS)
    async def deliver(voucher_id: UUID, body: DeliverBody, principal: Issuer, key: IdempotencyKey) -> Response:
        """Note that the member has the code. A voucher that was delivered before stays as it is."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return Answer(200, VoucherAnswer.of(await deliver_voucher(transaction, voucher_id, body.channel), types))

        return await idempotent(database, principal, key, body, work)

    @router.post("/vouchers/{voucher_id}/cancel", response_model=VoucherBalanceAnswer, responses=_PROBLEMS)
    async def cancel(voucher_id: UUID, body: CancelBody, principal: Issuer, key: IdempotencyKey) -> Response:
        """Let a voucher count no more: its points go back to their lots, with their own dates, its piece to the reward.
        One that was cancelled before stays as it is."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            closed = await cancel_voucher(
                transaction,
                voucher_id,
                principal.client_id,
                body.reason_code,
                came_back_days=programme.came_back_days,
            )
            return Answer(200, VoucherBalanceAnswer.after(closed.voucher, closed.balance, types))

        return await idempotent(database, principal, key, body, work)

    return router
