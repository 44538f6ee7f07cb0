"""What HTTP says of rewards."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StrictInt, StringConstraints

from services.redemption.domain.rewards.codes import TYPED_LENGTH_MAX
from services.redemption.domain.rewards.reward import ComesBack, Reward, RewardTerms, Supply
from services.redemption.repository.rewards import Stock
from services.redemption.schemas.answer import Answer
from shared.web import Body, CodeText, Principal

PIECES_AT_ONCE_MAX = 100_000
CODES_AT_ONCE_MAX = 5_000

BroughtCode = Annotated[
    str, StringConstraints(min_length=8, max_length=TYPED_LENGTH_MAX, pattern=r"^[A-Za-z0-9]([ -]?[A-Za-z0-9]){7,}$")
]


class RewardBody(Body):
    """Something new to be had for points, under an id of the programme's choice."""

    reward_id: CodeText
    terms: RewardTerms


class RewardTermsBody(Body):
    """All that is said of a reward from now on."""

    terms: RewardTerms


class PiecesBody(Body):
    """How many pieces more, or less."""

    count: Annotated[StrictInt, Field(ge=1, le=PIECES_AT_ONCE_MAX)]


class CodesBody(Body):
    """Codes of the partner's own: letters and digits, which are told apart without spaces, dashes and case."""

    codes: Annotated[tuple[BroughtCode, ...], Field(min_length=1, max_length=CODES_AT_ONCE_MAX, repr=False)]


class StockAnswer(Answer):
    """A reward's pieces: ``added`` in all, ``left`` to be had. ``changed``: how many more or less by this request."""

    reward_id: str
    added: int
    left: int
    changed: int


class RewardAnswer(Answer):
    """A reward. ``cost_minor`` is told to the programme's own clients alone."""

    reward_id: str
    version: int
    partner_id: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    pictures: list[str]
    categories: list[str]
    points: int
    money_minor: int
    point_type: str
    cost_minor: int | None
    supply: Supply
    offered_from: AwareDatetime | None
    offered_until: AwareDatetime | None
    valid_days: int
    valid_until: AwareDatetime | None
    stores: list[str] | None
    tiers: list[str] | None
    per_member_max: int | None
    per_member_days: int | None
    is_withdrawn: bool
    comes_back: ComesBack
    changed_at: datetime

    @classmethod
    def of(cls, reward: Reward, principal: Principal, point_type: str) -> Self:
        """The answer for a reward, as this caller sees it; ``point_type`` is the programme's own."""
        return cls.model_validate(_told(reward, principal, point_type))


class ListedRewardAnswer(RewardAnswer):
    """The same, and whether one is left."""

    is_left: bool

    @classmethod
    def listed(cls, reward: Reward, is_left: bool, principal: Principal, point_type: str) -> Self:
        """The answer for a reward in a list."""
        return cls.model_validate(_told(reward, principal, point_type) | {"is_left": is_left})


class StockedRewardAnswer(RewardAnswer):
    """The same, and its pieces: none where it is not limited to them."""

    pieces_added: int
    pieces_left: int

    @classmethod
    def stocked(cls, reward: Reward, stock: Stock, principal: Principal, point_type: str) -> Self:
        """The answer for one reward."""
        pieces = {"pieces_added": stock.added, "pieces_left": stock.left}
        return cls.model_validate(_told(reward, principal, point_type) | pieces)


def _told(reward: Reward, principal: Principal, point_type: str) -> dict[str, object]:
    said = reward.terms.model_dump()
    if principal.partner_id is not None:
        said["cost_minor"] = None
    said["point_type"] = reward.terms.point_type or point_type
    for name in ("pictures", "categories", "stores", "tiers"):
        said[name] = None if said[name] is None else list(said[name])
    return said | {"reward_id": reward.reward_id, "version": reward.version, "changed_at": reward.changed_at}
