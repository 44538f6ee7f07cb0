"""``/v1/rewards``: what may be had for points."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Response
from pydantic import TypeAdapter

from services.redemption.api.refusals import not_told_of_yet, require_spent
from services.redemption.credentials.voucher_codes import VoucherKeys
from services.redemption.domain.rewards.codes import normalised
from services.redemption.domain.rewards.errors import UnknownRewardError
from services.redemption.domain.rewards.reward import Reward
from services.redemption.programme import Programme
from services.redemption.repository import rewards
from services.redemption.schemas.rewards import (
    CodesBody,
    ListedRewardAnswer,
    PiecesBody,
    RewardAnswer,
    RewardBody,
    RewardTermsBody,
    StockAnswer,
    StockedRewardAnswer,
)
from services.redemption.use_cases.bring_codes import bring_codes
from services.redemption.use_cases.keep_rewards import (
    Stocked,
    UnknownPartnerError,
    add_pieces,
    change_reward,
    make_reward,
    take_away_pieces,
)
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    IfMatch,
    Page,
    Paging,
    Principal,
    etag,
    idempotent,
    problems,
    refuse_partners,
    requires,
)

Writer = Annotated[Principal, requires("rewards:write")]
Reader = Annotated[Principal, requires("rewards:read")]
RewardId = Annotated[CodeText, Path()]

_POSITION = TypeAdapter(tuple[CodeText])
_WHAT = "Rewards are kept"


def rewards_router(database: Database, programme: Programme) -> APIRouter:
    """What is said of rewards, on this process's database."""
    router = APIRouter(prefix="/v1/rewards", tags=["rewards"])

    @router.post(
        "", status_code=201, response_model=RewardAnswer, responses=problems(400, 401, 403, 409, 413, 415, 422)
    )
    async def make(body: RewardBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Offer something for points. It has no pieces yet, where it is limited to them."""
        refuse_partners(principal, _WHAT)
        require_spent(body.terms.point_type, programme.point_types)

        async def work(transaction: Transaction) -> Answer:
            try:
                reward = await make_reward(transaction, body.reward_id, body.terms, principal.client_id)
            except UnknownPartnerError:
                detail = "the coalition has no such partner, or it was registered just now: check it, or try again"
                raise not_told_of_yet("/terms/partner_id", detail) from None
            return Answer(201, RewardAnswer.of(reward, principal, programme.point_type))

        return await idempotent(database, principal, key, body, work)

    @router.put("/{reward_id}", responses=problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 428))
    async def change(
        reward_id: RewardId, body: RewardTermsBody, principal: Writer, version: IfMatch, response: Response
    ) -> RewardAnswer:
        """Say anew all that is said of a reward. Vouchers keep what it said when they were issued."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Reward:
            return await change_reward(transaction, reward_id, body.terms, version, principal.client_id)

        reward = await database.run(work)
        response.headers.update(etag(reward.version))
        return RewardAnswer.of(reward, principal, programme.point_type)

    return router


def catalogue_router(database: Database, programme: Programme) -> APIRouter:
    """The catalogue, on this process's database."""
    router = APIRouter(prefix="/v1/rewards", tags=["rewards"])

    @router.get("", responses=problems(400, 401, 403, 422))
    async def list_rewards(
        principal: Reader,
        paging: Paging,
        partner_id: Annotated[CodeText | None, Query()] = None,
        category: Annotated[CodeText | None, Query()] = None,
        offered: Annotated[bool, Query(description="Only what is offered now.")] = False,
    ) -> Page[ListedRewardAnswer]:
        """Rewards in the order of their ids. A partner's client finds its own partner's."""
        position = paging.position(_POSITION)
        of = partner_id if principal.partner_id is None else principal.partner_id
        if partner_id not in (None, of):
            return Page(items=[])
        async with database.transaction() as transaction:
            found = await rewards.load_offered(
                transaction,
                after="" if position is None else position[0],
                partner_id=of,
                category=category,
                is_offered_now=offered,
                rows_max=paging.limit + 1,
            )
        shown = [
            ListedRewardAnswer.listed(each.reward, each.is_left, principal, programme.point_type)
            for each in found[: paging.limit]
        ]
        return Page.of(found, paging.limit, shown, [answer.reward_id for answer in shown[-1:]])

    @router.get("/{reward_id}", responses=problems(401, 403, 404, 422))
    async def read(reward_id: RewardId, principal: Reader, response: Response) -> StockedRewardAnswer:
        """A reward, with its version as ETag. A partner's client does not find another partner's."""
        async with database.transaction() as transaction:
            reward = await rewards.find_reward(transaction, reward_id)
            if reward is None or not principal.sees(reward.terms.partner_id):
                raise UnknownRewardError
            stock = await rewards.count_stock(transaction, reward_id)
        response.headers.update(etag(reward.version))
        return StockedRewardAnswer.stocked(reward, stock, principal, programme.point_type)

    return router


def pieces_router(database: Database, keys: VoucherKeys) -> APIRouter:
    """How many of a reward may be had, on this process's database."""
    router = APIRouter(prefix="/v1/rewards/{reward_id}", tags=["rewards"])
    refusals = problems(400, 401, 403, 404, 409, 413, 415, 422)

    @router.post("/pieces:add", response_model=StockAnswer, responses=refusals)
    async def add(reward_id: RewardId, body: PiecesBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Let so many more be had."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _stocked(reward_id, await add_pieces(transaction, reward_id, body.count))

        return await idempotent(database, principal, key, body, work)

    @router.post("/codes:import", response_model=StockAnswer, responses=refusals)
    async def bring(reward_id: RewardId, body: CodesBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Take in codes that the partner made: each is given once. Those that are known are passed over; ``changed``
        says how many are new."""
        refuse_partners(principal, _WHAT)
        codes = {keys.keep(code, reward_id): keys.hashes(code) for code in dict.fromkeys(map(normalised, body.codes))}
        fingerprint = orjson.dumps([hashes[-1] for hashes in codes.values()])  # a retry is one while keys are replaced

        async def work(transaction: Transaction) -> Answer:
            return _stocked(reward_id, await bring_codes(transaction, reward_id, codes))

        return await idempotent(database, principal, key, fingerprint, work)

    @router.post("/pieces:remove", response_model=StockAnswer, responses=refusals)
    async def remove(reward_id: RewardId, body: PiecesBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Let so many less be had, as far as they are left. ``changed`` says how many are gone."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            return _stocked(reward_id, await take_away_pieces(transaction, reward_id, body.count))

        return await idempotent(database, principal, key, body, work)

    return router


def _stocked(reward_id: str, stocked: Stocked) -> Answer:
    added, left = stocked.stock
    return Answer(200, StockAnswer(reward_id=reward_id, added=added, left=left, changed=stocked.changed))
