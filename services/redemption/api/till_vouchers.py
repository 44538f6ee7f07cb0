"""``/v1/vouchers:check`` and ``:use``: a voucher at a till of its partner."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Response

from services.redemption import metrics
from services.redemption.api.reading import at_partner, in_store
from services.redemption.credentials.voucher_codes import VoucherKeys
from services.redemption.domain.rewards.codes import readings
from services.redemption.programme import Programme
from services.redemption.schemas.vouchers import CheckedVoucherAnswer, CheckVoucherBody, UseVoucherBody
from services.redemption.use_cases.use_voucher import Shown, check_voucher, use_voucher
from shared.database import Database, Transaction
from shared.receipt_key import encode_receipt_key
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, requires

Till = Annotated[Principal, requires("redemptions:write")]


def till_vouchers_router(database: Database, programme: Programme, keys: VoucherKeys) -> APIRouter:
    """Taking vouchers, on this process's database."""
    router = APIRouter(prefix="/v1", tags=["vouchers"])

    @router.post("/vouchers:check", responses=problems(400, 401, 403, 404, 409, 413, 415, 422))
    async def check(body: CheckVoucherBody, principal: Till) -> CheckedVoucherAnswer:
        """What a code stands for, if it counts here and now. Refused as its use would be; nothing is changed."""
        shown = _shown(keys, body, principal)
        async with database.transaction() as transaction:
            taken = await check_voucher(transaction, shown)
        return CheckedVoucherAnswer.of(taken.voucher, taken.terms, programme.point_types)

    @router.post(
        "/vouchers:use",
        response_model=CheckedVoucherAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def use(body: UseVoucherBody, principal: Till, key: IdempotencyKey) -> Response:
        """Take a voucher for a receipt, once for ever: what it reserves is spent at the partner. The same voucher for
        the same receipt again gets the first answer; for another one it is refused (409)."""
        shown = _shown(keys, body, principal)
        receipt_key = encode_receipt_key(shown.partner_id, body.receipt)

        async def work(transaction: Transaction) -> Answer:
            taken = await use_voucher(transaction, shown, receipt_key, principal.client_id)
            return Answer(200, CheckedVoucherAnswer.of(taken.voucher, taken.terms, programme.point_types))

        response = await idempotent(database, principal, key, _fingerprint(body, shown), work)
        metrics.VOUCHERS_TAKEN.labels("used" if response.status_code < 400 else "refused").inc()
        return response

    return router


def _shown(keys: VoucherKeys, body: CheckVoucherBody, principal: Principal) -> Shown:
    hashes = [one for reading in readings(body.code) for one in keys.hashes(reading)]
    return Shown(body.code, hashes, at_partner(principal, body.partner_id), in_store(principal, body.store_id))


def _fingerprint(body: UseVoucherBody, shown: Shown) -> bytes:
    """What tells a retry from another request: the code by its keyed hash, under the oldest key, so that a retry is one
    while keys are replaced."""
    said = body.model_dump(mode="json", exclude={"code"})
    return orjson.dumps(said | {"code_hash": shown.code_hashes[-1]})
