"""What the programme has set for redemption, as one process sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from services.redemption.domain.hold_lives import HOLD_LIVES, HoldLives
from services.redemption.domain.holding import FreshFacts
from services.redemption.domain.privileges.bought import is_earned_by_purchases
from services.redemption.domain.privileges.life import Privilege
from services.redemption.domain.tender import Pricing
from services.redemption.domain.write_off.rules import WriteOffHistory, WriteOffRules
from services.redemption.repository import privileges
from shared.database import Transaction
from shared.identifier_capabilities import Capabilities
from shared.ids import IdentifierKeys, IdentifierType, normalise_identifier
from shared.point_types import ONE_TYPE, PointTypes
from shared.qr_tokens import QrKeys
from shared.rule_sets.repository import load_newer


class PublishedWriteOffRules:
    """Every published version of the write-off rules. New ones, and what was withdrawn, come by ``refresh``; either is
    known at least a minute before it counts."""

    def __init__(self) -> None:
        self._versions: dict[int, WriteOffRules] = {}
        self._withdrawn: frozenset[int] = frozenset()
        self.history = WriteOffHistory()

    async def refresh(self, transaction: Transaction) -> None:
        """Read what is new."""
        known = await load_newer(transaction, max(self._versions, default=0))
        if known.newer or known.withdrawn != self._withdrawn:
            newer = [WriteOffRules.model_validate_json(document) for document in known.newer]
            self._versions |= {rules.version: rules for rules in newer}
            self._withdrawn |= known.withdrawn
            self.history = WriteOffHistory(tuple(self._versions.values()), self._withdrawn)


class ApprovedPrivileges:
    """Every privilege that two people agreed on, those that were ended too. What changes comes by ``refresh``.

    ``by_purchase``: those that purchases entitle to, and that are not ended.
    """

    def __init__(self) -> None:
        self._revisions: Mapping[str, int] = {}
        self._by_id: dict[str, Privilege] = {}
        self.all: Sequence[Privilege] = ()
        self.by_purchase: Sequence[Privilege] = ()

    async def refresh(self, transaction: Transaction) -> None:
        """Read what is new."""
        found = await privileges.load_approved(transaction, self._revisions)
        if found.changed:
            self._by_id |= found.changed
            self.all = tuple(self._by_id.values())
            self.by_purchase = tuple(one for one in self.all if is_earned_by_purchases(one))
        self._revisions = found.revisions


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme a deployment. ``zone`` is where its days begin and end; ``point_type`` is its own, ``point_types``
    are all. ``debt_stops_spending``: who owes points spends none that others lend, either. ``came_back_days``: how long
    points can be spent that come back after their own last day. ``members_owe`` what their receipts took and no balance
    covered; else it is the partners' loss.
    """

    point_type: str
    pricing: Pricing
    country: str
    identifier_keys: IdentifierKeys
    fresh_facts: FreshFacts
    topic_partitions: int
    zone: tzinfo
    qr_keys: QrKeys = field(default_factory=lambda: QrKeys({}))
    capabilities: Capabilities = field(default_factory=Capabilities)
    point_types: PointTypes = ONE_TYPE
    debt_stops_spending: bool = False
    came_back_days: int = 0
    members_owe: bool = False
    hold_lives: HoldLives = field(default_factory=lambda: HOLD_LIVES)
    write_off: PublishedWriteOffRules = field(default_factory=PublishedWriteOffRules)
    privileges: ApprovedPrivileges = field(default_factory=ApprovedPrivileges)

    def hashes_of(self, kind: IdentifierType, value: str) -> tuple[str, ...]:
        """What may stand for an identifier that a till has read, under every valid key, the present one's first.

        Raises:
            InvalidIdentifierError: the value cannot be of this type.
        """
        return self.identifier_keys.hashes(kind, normalise_identifier(kind, value, self.country))
