"""Everything about rewards and vouchers over HTTP, in one place."""

from datetime import timedelta

from fastapi import APIRouter

from services.redemption.api.rewards import catalogue_router, pieces_router, rewards_router
from services.redemption.api.till_vouchers import till_vouchers_router
from services.redemption.api.vouchers import confirming_router, issuing_router, voucher_steps_router, vouchers_router
from services.redemption.credentials.voucher_codes import VoucherKeys
from services.redemption.programme import Programme
from shared.database import Database


def reward_routers(
    database: Database, programme: Programme, keys: VoucherKeys, reserved_for: timedelta
) -> tuple[APIRouter, ...]:
    """The catalogue, its pieces, and vouchers from their issue to their end."""
    return (
        rewards_router(database, programme),
        catalogue_router(database, programme),
        pieces_router(database, keys),
        issuing_router(database, programme, keys, reserved_for),
        confirming_router(database, programme, keys),
        vouchers_router(database, programme, keys),
        voucher_steps_router(database, programme),
        till_vouchers_router(database, programme, keys),
    )
