"""What is asked about rewards over HTTP, and what becomes of vouchers in time, as redemption's real use cases do it."""

from collections.abc import Sequence
from functools import partial

from services.redemption.api.reward_refusals import refused
from services.redemption.credentials.voucher_codes import KeptCode
from services.redemption.domain.rewards.entitlement import RewardRefusedError
from services.redemption.domain.rewards.reward import RewardTerms
from services.redemption.domain.rewards.voucher import VoucherState
from services.redemption.use_cases.bring_codes import bring_codes
from services.redemption.use_cases.close_vouchers import cancel_voucher, expire_vouchers
from services.redemption.use_cases.issue_reward import Issued, RewardWish, confirm_voucher, issue_reward
from services.redemption.use_cases.keep_rewards import add_pieces, make_reward
from services.redemption.use_cases.use_voucher import Shown, deliver_voucher, use_voucher
from shared.database import Transaction
from shared.receipt_key import encode_receipt_key
from tests.support import redemption_voucher_steps as wish
from tests.support.redemption import till_receipt
from tests.support.redemption_play_stage import FIRST_MOMENT, Stage, Work

NOBODYS_CODE = "nobody's"
CODE = " with the code "


async def offer(transaction: Transaction, offers: Sequence[wish.Offer]) -> None:
    """Have these rewards to be had. A code is kept as what it is: what seals and hashes it is tested elsewhere."""
    for one in offers:
        is_limited = one.pieces is not None
        terms = RewardTerms(
            partner_id=one.partner,
            titles={"en": one.name},
            descriptions={},
            points=one.points,
            money_minor=one.money_minor,
            supply="imported" if one.is_by_codes else "pieces" if is_limited else "unlimited",
            valid_days=one.valid_days,
            valid_until=None if one.ends_after is None else FIRST_MOMENT + one.ends_after,
            per_member_max=one.per_member_max,
            comes_back="with_void" if one.comes_back else "never",
        )
        await make_reward(transaction, one.name, terms, "app")
        if one.is_by_codes:
            codes = [f"{one.name}-{number}" for number in range(one.pieces or 0)]
            await bring_codes(transaction, one.name, {KeptCode(code, code): (code,) for code in codes})
        elif one.pieces is not None:
            await add_pieces(transaction, one.name, one.pieces)


def work_of_voucher(stage: Stage, step: wish.VoucherRequest) -> Work:
    """What a request about a voucher does in its transaction."""
    match step:
        case wish.Issue():
            return partial(_issue, stage, step)
        case wish.Confirm():
            return partial(_confirm, stage, step)
        case wish.Deliver(voucher):
            return partial(_deliver, stage, voucher)
        case wish.Use():
            return partial(_use, stage, step)
        case wish.Cancel(voucher):
            return partial(_cancel, stage, voucher)


async def _issue(stage: Stage, step: wish.Issue, transaction: Transaction) -> str:
    code = f"made-{step.voucher}"
    asked = RewardWish(
        stage.names.vouchers[step.voucher],
        wish.OFFERS[step.offer].name,
        stage.names.members[step.member],
        "app",
        KeptCode(code, code),
        is_reserved=step.is_kept,
    )
    try:
        return _shown(await issue_reward(transaction, asked, stage.programme, wish.RESERVED_FOR))
    except RewardRefusedError as error:
        raise refused(error) from None


async def _confirm(stage: Stage, step: wish.Confirm, transaction: Transaction) -> str:
    voucher_id = stage.names.vouchers[step.voucher]
    return _shown(await confirm_voucher(transaction, voucher_id, step.paid_minor))


def _shown(issued: Issued) -> str:
    """What a client sees: the code of what is only kept is shown to nobody."""
    state, code = issued.voucher.state, issued.sealed_code
    return state.value if state is VoucherState.RESERVED or code is None else f"{state.value}{CODE}{code}"


def hear(stage: Stage, step: wish.VoucherRequest, said: str) -> str:
    """What was answered but for the code. Who was told one has it for good: nobody else may ever be told the same."""
    state, _, code = said.partition(CODE)
    if code:
        others = {known for voucher, known in stage.codes.items() if voucher != step.voucher}
        assert code not in others, f"told twice: {code}"
        stage.codes[step.voucher] = code
    return state


async def _deliver(stage: Stage, voucher: int, transaction: Transaction) -> str:
    return (await deliver_voucher(transaction, stage.names.vouchers[voucher], "app")).state.value


async def _use(stage: Stage, step: wish.Use, transaction: Transaction) -> str:
    code = stage.codes.get(step.voucher, NOBODYS_CODE)
    receipt_key = encode_receipt_key(step.partner, till_receipt(stage.names.first_receipt + step.receipt))
    taken = await use_voucher(transaction, Shown(code, [code], step.partner, None), receipt_key, "till")
    return taken.voucher.state.value


async def _cancel(stage: Stage, voucher: int, transaction: Transaction) -> str:
    days, voucher_id = stage.lived.came_back_days, stage.names.vouchers[voucher]
    closed = await cancel_voucher(transaction, voucher_id, "app", "asked", came_back_days=days)
    return closed.voucher.state.value


async def close_vouchers(stage: Stage, transaction: Transaction) -> str:
    """The job that closes vouchers comes by."""
    return f"expired {await expire_vouchers(transaction, came_back_days=stage.lived.came_back_days)}"
