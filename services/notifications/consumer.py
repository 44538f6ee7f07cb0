"""The edge: topics become projections and entries of digests. One transaction a batch, positions in it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from services.notifications.domain.codes import Challenge, ChallengeOf
from services.notifications.domain.digest import Award
from services.notifications.domain.news import is_correction, news_of, repaid_by
from services.notifications.domain.pin_notices import PinNotice
from services.notifications.metrics import AWARDS_ADDED, CODES_ASKED, NEWS_ADDED, PIN_NOTICES_OPENED
from services.notifications.repository import erasure
from services.notifications.use_cases.add_news import add_news, lock_told
from services.notifications.use_cases.add_to_digests import add_to_digests
from services.notifications.use_cases.project_names import project_members, project_partners
from services.notifications.use_cases.send_codes import send_codes
from services.notifications.use_cases.send_pin_notices import send_pin_notices
from shared.database import Database, Transaction, read_to
from shared.events.coalition import CoalitionEvent, PartnerChanged
from shared.events.envelope import Event
from shared.events.members import MemberEvent, MemberStated, PinChanged
from shared.events.points import PointsEarned, PointsEvent, PointsExchanged, PointsExchangeData
from shared.events.redemptions import RedemptionEvent, RedemptionRefunded, SpendChallenged
from shared.kafka.errors import PermanentError
from shared.kafka.records import Batch
from shared.point_types import PointTypes
from shared.receipt_key import MalformedReceiptIdError, natural_key_of
from shared.runtime.record_keeping import RecordKeeping
from shared.web.known_clients import project_clients

E = TypeVar("E", bound=Event)
Take: TypeAlias = Callable[[Transaction, Sequence[E]], Awaitable[None]]

REFUSED_TYPE = b"loyalty.receipt.refused.v1"
_WANTED_OF_REDEMPTIONS = frozenset(
    str(event.model_fields["type"].default).encode() for event in (RedemptionRefunded, SpendChallenged)
)


def is_told(headers: Mapping[str, bytes]) -> bool:
    """Whether a record of ``loyalty.points`` is worth decoding here: members are not told of refused receipts."""
    return headers.get("type") != REFUSED_TYPE


class TopicHandler(RecordKeeping, Generic[E]):
    """One topic: ``take`` says what its events do, inside a transaction that is this handler's."""

    def __init__(self, database: Database, take: Take[E]) -> None:
        super().__init__(database)
        self._take = take

    async def is_erased(self, transaction: Transaction, member_id: UUID) -> bool:
        """Whether the member was erased."""
        return await erasure.is_erased(transaction, member_id)

    async def handle(self, batch: Batch[E]) -> None:
        """The whole batch in one transaction; after a deadlock it is done again."""

        async def work(transaction: Transaction) -> None:
            await self._take(transaction, batch.events)
            await read_to.save(transaction, batch.positions)

        await self._database.run(work)


def take_points(digest_delay: timedelta, news_delay: timedelta, types: PointTypes) -> Take[PointsEvent]:
    """Earned points of the programme's own type join digests that are due after ``digest_delay``, and what else happens
    to points that are spent joins news that are due after ``news_delay``.

    Awards of nothing are not told. Of an exchange the net is: where it gave more than it took it is an award, where it
    took more than there was, what is owed is news.
    """

    async def take(transaction: Transaction, events: Sequence[PointsEvent]) -> None:
        gave = PointsEarned | PointsExchanged
        earned = [event for event in events if isinstance(event, gave) and _net_points(event) > 0]
        earned = [event for event in earned if not is_correction(event)]  # that is told with the news
        awards = [award_of(event) for event in earned if event.data.point_type == types.own]
        news = [one for event in events if (one := news_of(event, types)) is not None]
        if awards and news:  # both lock members: all at once, in their order
            await lock_told(transaction, {one.member_id for one in awards} | {one.member_id for one in news})
        if awards:
            AWARDS_ADDED.inc(await add_to_digests(transaction, awards, digest_delay))
        if news:
            NEWS_ADDED.inc(await add_news(transaction, news, news_delay))

    return take


def wants_redemption(headers: Mapping[str, bytes]) -> bool:
    """Whether a record of ``loyalty.redemptions`` is worth decoding here: it tells of points that were given back, or
    of what a member is to confirm."""
    return headers.get("type") in _WANTED_OF_REDEMPTIONS


def take_redemptions(news_delay: timedelta, types: PointTypes) -> Take[RedemptionEvent]:
    """What refunds pay of what members owe is taken off what the news of them say, whichever is heard first; and
    members who are to confirm something are sent a code.
    """

    async def take(transaction: Transaction, events: Sequence[RedemptionEvent]) -> None:
        refunds = [event for event in events if isinstance(event, RedemptionRefunded)]
        repaid = [one for event in refunds if (one := repaid_by(event, types)) is not None]
        asked = [_challenge_of(event) for event in events if isinstance(event, SpendChallenged)]
        if repaid and asked:  # both lock members: all at once, in their order
            await lock_told(transaction, {one.member_id for one in repaid} | {one.member_id for one in asked})
        if repaid:
            NEWS_ADDED.inc(await add_news(transaction, repaid, news_delay))
        if asked:
            CODES_ASKED.inc(await send_codes(transaction, asked))

    return take


def _challenge_of(event: SpendChallenged) -> ChallengeOf:
    data = event.data
    challenge = Challenge(
        data.challenge_id, data.kind, data.key_id, data.partner_id, data.point_type, data.points, data.expires_at
    )
    return ChallengeOf(data.member_id, challenge, event.traceparent)


async def take_members(transaction: Transaction, events: Sequence[MemberEvent]) -> None:
    """Members become recipients, and are told what happened to their PINs."""
    notices = [
        PinNotice(event.id, event.data.member_id, event.data.change, event.traceparent)
        for event in events
        if isinstance(event, PinChanged)
    ]
    if notices:  # both lock members: all at once, in their order
        stated = {event.data.member_id for event in events if isinstance(event, MemberStated)}
        await lock_told(transaction, stated | {one.member_id for one in notices})
    await project_members(transaction, events)
    if notices:
        PIN_NOTICES_OPENED.inc(await send_pin_notices(transaction, notices))


async def take_coalition(transaction: Transaction, events: Sequence[CoalitionEvent]) -> None:
    """Partners get their names, and API clients are known."""
    await project_clients(transaction, events)
    await project_partners(transaction, [event for event in events if isinstance(event, PartnerChanged)])


def _net_points(event: PointsEarned | PointsExchanged) -> int:
    return event.data.points if isinstance(event, PointsEarned) else event.data.net_points


def award_of(event: PointsEarned | PointsExchanged) -> Award:
    """The award as a digest needs it; of an exchange, what it gave more than it took.

    Raises:
        PermanentError: the receipt's id is not one of this programme's.
    """
    data = event.data
    try:
        receipt_key = natural_key_of(data.receipt_id)
    except MalformedReceiptIdError as error:
        raise PermanentError(str(error)) from error
    if isinstance(data, PointsExchangeData):
        net_points = data.net_points
        return Award(
            receipt_key=receipt_key,
            member_id=data.member_id,
            partner_id=data.partner_id,
            points=net_points,
            debt_cleared=min(net_points, data.debt_cleared),
            occurred_at=data.given[0].occurred_at,
            traceparent=event.traceparent,
        )
    return Award(
        receipt_key=receipt_key,
        member_id=data.member_id,
        partner_id=data.partner_id,
        points=data.points,
        debt_cleared=data.debt_cleared,
        occurred_at=data.occurred_at,
        traceparent=event.traceparent,
        part=0 if data.part is None else data.part.number,
    )
