"""What the programme has set for accrual, and the rule sets it has published, as one process sees them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.accrual.domain.category_mapping import ExclusionVersion, MappingVersion, PartnerMapping
from services.accrual.domain.content_keys import ContentKeys
from services.accrual.domain.moved_alone import AloneLimits
from services.accrual.domain.partner_funds import Funds
from services.accrual.domain.rules import RuleSet, RuleSetHistory
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from services.accrual.repository import category_mappings, partner_funds, rule_sets, tier_schemes
from shared.database import Transaction
from shared.database.engine import TRANSACTION_SECONDS_MAX
from shared.point_types import ONE_TYPE, PointTypes
from shared.rule_sets.life import NOTICE

# What is not committed when published versions are read was begun a transaction's life before at most, and counts a
# notice after it was begun at the earliest.
COUNTS_AFTER = NOTICE - timedelta(seconds=TRANSACTION_SECONDS_MAX)
READ_AGE_MAX = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme a deployment. ``zone`` is where its days begin and end; by ``content_keys`` documents that have the
    same key are told apart; what is received later than ``retro_window`` after its time earns nothing. ``point_type``
    is its own, ``point_types`` are all."""

    point_type: str
    currency: str
    zone: ZoneInfo
    parked_window: timedelta
    content_keys: ContentKeys
    retro_window: timedelta = timedelta.max
    point_types: PointTypes = ONE_TYPE


class KnownMappings:
    """Partners' mappings as this process has read them. Versions are immutable; only newer ones are read again."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, MappingVersion | ExclusionVersion]] = {}
        self._mappings: dict[str, PartnerMapping] = {}

    async def refresh(self, transaction: Transaction, partner_ids: Collection[str]) -> Mapping[str, PartnerMapping]:
        """Read what is new of these partners; all that is known then. A partner without a mapping is absent.

        What was given out stays as it is, and nobody who has read less meanwhile takes back what another has read.
        """
        known = {
            partner_id: self._mappings[partner_id].version if partner_id in self._mappings else 0
            for partner_id in partner_ids
        }
        for partner_id, newer in (await category_mappings.load_newer(transaction, known)).items():
            # Joined with what stands now, not with what stood before the wait: a request beside this one may know more.
            versions = self._versions.get(partner_id, {}) | {one.version: one for one in newer}
            self._versions[partner_id] = versions
            self._mappings[partner_id] = PartnerMapping(versions.values())
        return dict(self._mappings)


class KnownTierSchemes:
    """Every published tier scheme as this process has read it; a version is published a minute before it counts."""

    def __init__(self) -> None:
        self._versions: dict[int, TierScheme] = {}
        self.history = TierSchemeHistory()

    async def refresh(self, transaction: Transaction) -> None:
        """Read the versions that are new."""
        newer = await tier_schemes.load_newer(transaction, max(self._versions, default=0))
        if newer:
            self._versions |= {scheme.version: scheme for scheme in newer}
            self.history = TierSchemeHistory(tuple(self._versions.values()))


class PublishedRules:
    """Every published rule set. Immutable versions are read once; new ones, and what was withdrawn, by ``refresh``.

    A version is published at least a minute before it takes effect, and withdrawn as early, which is why a process that
    refreshes every few seconds never judges by an outdated set.
    """

    def __init__(self) -> None:
        self._versions: dict[int, RuleSet] = {}
        self._withdrawn: frozenset[int] = frozenset()
        self._read_at: datetime | None = None
        self.history = RuleSetHistory(())
        self.mappings = KnownMappings()
        self.tiers = KnownTierSchemes()

    async def refresh(self, transaction: Transaction) -> None:
        """Read what is new."""
        known = await rule_sets.load_newer(transaction, max(self._versions, default=0))
        if known.newer or known.withdrawn != self._withdrawn:
            self._versions |= {rule_set.version: rule_set for rule_set in known.newer}
            self._withdrawn |= known.withdrawn
            self.history = RuleSetHistory(tuple(self._versions.values()), self._withdrawn)
        await self.tiers.refresh(transaction)
        self._read_at = transaction.now if self._read_at is None else max(self._read_at, transaction.now)

    async def refresh_for(self, transaction: Transaction, occurred_at: datetime) -> None:
        """Read what is new, unless what was read is sure to be all that a receipt of this time is judged by now."""
        if not self._judges(occurred_at, transaction.now):
            await self.refresh(transaction)

    def _judges(self, occurred_at: datetime, now: datetime) -> bool:
        """Whether nothing that was published or withdrawn since can concern a receipt of this time.

        Times are business time: when its clock is moved, what was read is old. Only the first version of all reaches
        back, and only where there was none.
        """
        read_at = self._read_at
        return (
            read_at is not None
            and now - read_at < READ_AGE_MAX
            and occurred_at < read_at + COUNTS_AFTER
            and self.history.at(occurred_at) is not None
        )


@dataclass(frozen=True, slots=True)
class MoveRules:
    """What moves are judged by. ``claim_window``: how long who joined after a purchase may still have it."""

    programme: Programme
    published: PublishedRules
    claim_window: timedelta
    reasons: frozenset[str]
    alone: AloneLimits


class KnownFunds:
    """Partners' contracts and what is left of them, as this process last read them: no receipt asks for itself.

    A contract is published a minute before it takes effect, so that a refresh every second never judges without it;
    that one is exhausted is known here a second late, which is a part of the overshoot that is allowed for.
    """

    def __init__(self) -> None:
        self.of_partner: dict[str, Funds] = {}

    async def refresh(self, transaction: Transaction) -> None:
        """Read all of them: a row or two a partner."""
        self.of_partner = await partner_funds.load(transaction)
