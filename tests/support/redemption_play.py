"""Plays a made-up life to redemption's real use cases, on a real database, each step in transactions of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import orjson

from services.redemption.api.refunds import REFUND_PROBLEMS
from services.redemption.api.refusals import DOMAIN_PROBLEMS
from services.redemption.api.reward_refusals import REWARD_PROBLEMS
from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.gifting import GiftIdTakenError, GiftLimits, GiftRefusedError
from services.redemption.use_cases.expire_holds import expire_holds
from services.redemption.use_cases.give_points import GiftWish, give_points
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.project import project_coalition, take_in_members
from shared import ledger
from shared.database import Transaction
from shared.ids import new_id
from shared.web import Answer, Body, Problem, idempotent
from shared.web.keyed_requests import KeyedRequest
from shared.web.refusals import as_problem
from tests.support import redemption_play_documents as documents
from tests.support import redemption_play_vouchers as vouchers
from tests.support import redemption_steps as life
from tests.support import redemption_voucher_steps as wish
from tests.support.pooling import Place, belongs, household
from tests.support.redemption import GROCER, enrolled, partner
from tests.support.redemption_names import POINTS
from tests.support.redemption_play_stage import Stage, Work
from tests.support.redemption_play_till import work_of_till

NO_LIMITS = GiftLimits(10**6, 10**6, 10**6)
PROBLEMS = {**DOMAIN_PROBLEMS, **REWARD_PROBLEMS, **REFUND_PROBLEMS}


class Said(Body):
    """An answer, in words."""

    words: str


class Asked(NamedTuple):
    """A request that bears a key, and what was answered; ``is_kept``: for good."""

    request: KeyedRequest
    step: life.Asked
    said: str
    is_kept: bool

    @property
    def words(self) -> str:
        """What was answered, but for a code."""
        return self.said.partition(vouchers.CODE)[0]


class Repeated(NamedTuple):
    """A request that was sent again under its key, and what is answered now."""

    first: Asked
    now: str


@dataclass(slots=True)
class Played:
    """A life that is being played."""

    stage: Stage
    requests: list[Asked] = field(default_factory=list)

    async def begin(self) -> None:
        """Have everybody known, and who lives together, and what is on offer."""
        names = self.stage.names
        members = names.members
        together = [members[one] for one in names.household]
        events = [enrolled(member_id) for member_id in members]
        if self.stage.lived.is_household:
            home = new_id()
            told = household(1, *(Place(member_id) for member_id in together), household_id=home)
            events += [*(belongs(member_id, 2, home) for member_id in together), told]  # type: ignore[list-item]

        async def work(transaction: Transaction) -> str:
            await take_in_members(transaction, events, [POINTS])
            await project_coalition(transaction, [partner("grocer", "Grocer"), partner("fuel", "Fuel")])
            await vouchers.offer(transaction, wish.OFFERS)
            return ""

        await self.stage.do(work)

    async def take(self, step: life.Single) -> str:
        """What is answered."""
        stage = self.stage
        match step:
            case life.Gift():
                return await _give(stage, step)
            case life.Sweep():
                return await documents.sweep(stage)
            case life.Receipt() | life.Undo() | life.Return() | wish.GiveBack():
                return await stage.do(documents.work_of_document(stage, step))
            case life.Expire(hours_behind):
                return await stage.do(partial(_expire, stage, hours_behind))
            case wish.ExpireVouchers():
                return await stage.do(partial(vouchers.close_vouchers, stage))
            case life.Earn() | life.TakeBack() | life.Lapse() | life.HoursPass() | life.Again():
                raise AssertionError(f"not redemption's: {step}")
            case _:
                return await self._ask(step)

    async def again(self, back: int) -> Repeated | None:
        """One of the last requests is sent again; None where there was none."""
        if not self.requests:
            return None
        place = -1 - back % len(self.requests)
        first = self.requests[place]
        self.requests[place] = await self._keyed(first.request, first.step)
        return Repeated(first, self._heard(self.requests[place]))

    def _heard(self, asked: Asked) -> str:
        match asked.step:
            case wish.Issue() | wish.Confirm():
                return vouchers.hear(self.stage, asked.step, asked.said)
            case _:
                return asked.said

    async def settle_returns(self, receipt: int) -> str:
        """What a consumer does after it has read a receipt of which goods came back before."""
        return await self.stage.do(
            partial(documents.settle_again, self.stage, [self.stage.names.receipt_keys[receipt]])
        )

    async def at_once(self, steps: Sequence[life.Single], turns: Sequence[int]) -> list[str]:
        """What is answered to each, all on connections of their own at the same time."""

        async def after(step: life.Single, waiting: int) -> str:
            for _ in range(waiting):
                await asyncio.sleep(0)
            return await self.take(step)

        return await asyncio.gather(*(after(step, waiting) for step, waiting in zip(steps, turns, strict=True)))

    async def _ask(self, step: life.Asked) -> str:
        request = KeyedRequest(new_id().hex, "POST", type(step).__name__, PROBLEMS)
        self.requests.append(asked := await self._keyed(request, step))
        return self._heard(asked)

    async def _keyed(self, request: KeyedRequest, step: life.Asked) -> Asked:
        work = _work(self.stage, step)

        async def answer(transaction: Transaction) -> Answer:
            return Answer(200, Said(words=await work(self.stage.as_of(transaction))))

        is_hot = isinstance(step, life.Hold | life.Capture | life.Void)
        try:
            response = await idempotent(self.stage.database, GROCER, request, None, answer, is_hot=is_hot)
        except (RedemptionError, Problem) as error:  # it may pass, so nothing is kept of it
            problem = as_problem(error, PROBLEMS)
            if problem is None or not problem.may_pass:
                raise
            return Asked(request, step, _with_figures(problem.slug, problem.extensions), is_kept=False)
        body = orjson.loads(response.body)
        if response.status_code == 200:
            return Asked(request, step, body["words"], is_kept=True)
        return Asked(request, step, _with_figures(body["type"].rpartition("/")[2], body), is_kept=True)

    async def post(self, commands: Sequence[ledger.Command]) -> None:
        """What others do to the ledger."""
        await self.stage.do(partial(_posted, commands))


def _with_figures(slug: str, body: Mapping[str, object]) -> str:
    return " ".join([slug, *(str(body[name]) for name in ("available", "refundable_points") if name in body)])


def _work(stage: Stage, step: life.Asked) -> Work:
    match step:
        case life.Hold() | life.Capture() | life.Void() | life.Shrink() | life.Refund():
            return work_of_till(stage, step)
        case _:
            return vouchers.work_of_voucher(stage, step)


async def _give(stage: Stage, step: life.Gift) -> str:
    giver_id, receiver = stage.names.members[step.giver], Spender(stage.names.members[step.receiver])
    gift = GiftWish(stage.names.gifts[step.number], giver_id, receiver, POINTS, step.points, "app")
    try:
        return await stage.do(partial(_given, stage, gift))
    except GiftIdTakenError:
        return "gift-id-taken"
    except GiftRefusedError as error:
        return error.reason if error.points_max is None else f"{error.reason} {error.points_max}"


async def _given(stage: Stage, gift: GiftWish, transaction: Transaction) -> str:
    return f"given {(await give_points(transaction, gift, NO_LIMITS, stage.programme)).gift.points}"


async def _expire(stage: Stage, hours_behind: int, transaction: Transaction) -> str:
    read_to = stage.now - timedelta(hours=hours_behind)
    return f"expired {await expire_holds(transaction, read_to, came_back_days=stage.lived.came_back_days)}"


async def _posted(commands: Sequence[ledger.Command], transaction: Transaction) -> str:
    await ledger.post(transaction, commands)
    return ""
