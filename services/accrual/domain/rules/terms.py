"""What points of a receipt have in common: their type, how long they wait, and how long they last."""

from dataclasses import dataclass, field, replace

from services.accrual.domain.rules.caps import Campaign
from services.accrual.domain.rules.expiry import CalendarExpiry, NeverExpires, RollingExpiry
from services.accrual.domain.rules.pending import PendingDays, PendingEvent, PendingUntilDate
from services.accrual.domain.rules.rule import Rule
from shared.ledger import Funding, Limits


@dataclass(frozen=True, slots=True)
class PartTerms:
    """``point_type`` None: the programme's own. ``pending`` None: to be spent at once; ``expiry`` None: for ever.

    ``funding`` None: their issuer pays; ``limits`` None: they may be spent on anything.

    Every rule that is applied looks its terms up, and policies are slow to hash: it is done once.
    """

    point_type: str | None
    pending: PendingDays | PendingUntilDate | PendingEvent | None
    expiry: NeverExpires | RollingExpiry | CalendarExpiry | None
    funding: Funding | None = None
    limits: Limits | None = None
    basis: str = "purchase"
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        said = (self.point_type, self.pending, self.expiry, self.funding, self.limits, self.basis)
        object.__setattr__(self, "_hash", hash(said))

    def __hash__(self) -> int:
        return self._hash


def pending_said(
    pending: PendingDays | PendingUntilDate | PendingEvent | None, days: int | None
) -> PendingDays | PendingUntilDate | PendingEvent | None:
    """A wait as it is said at length or in short; 0 days are none."""
    return PendingDays(days=days) if days else pending


def expiry_said(
    expiry: NeverExpires | RollingExpiry | CalendarExpiry | None, days: int | None
) -> NeverExpires | RollingExpiry | CalendarExpiry | None:
    """An expiry as it is said at length or in short."""
    return RollingExpiry(days=days) if days else expiry


def terms_said(rule: Rule, own: PartTerms, campaign: Campaign | None = None) -> PartTerms:
    """What a rule gives its points on; ``own`` is what holds where neither it nor its campaign says anything."""
    says_pending = rule.pending is not None or rule.pending_days is not None
    says_expiry = rule.expiry is not None or rule.expires_after_days is not None
    terms = PartTerms(
        rule.effect.point_type,
        pending_said(rule.pending, rule.pending_days) if says_pending else own.pending,
        expiry_said(rule.expiry, rule.expires_after_days) if says_expiry else own.expiry,
        basis=own.basis,
    )
    return terms if rule.effect.point_type is not None else _paid_for(terms, rule, campaign)


def _paid_for(terms: PartTerms, rule: Rule, campaign: Campaign | None) -> PartTerms:
    """The same, with who pays, on what the points may be spent, and why they are given."""
    funding, limits, basis = rule.funding, rule.limits, rule.basis
    if campaign is not None:
        funding, limits, basis = funding or campaign.funding, limits or campaign.limits, basis or campaign.basis
    return replace(
        terms,
        funding=None if funding is None else funding.of_campaign(None if campaign is None else campaign.id),
        limits=None if limits is None else limits.of_lots,
        basis=basis or terms.basis,
    )
