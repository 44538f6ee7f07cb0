"""A partner's operators (cashiers), known by keyed hashes alone: of staff number and own member card. Pure."""

import hmac
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from services.coalition.domain.audit import facts_of
from services.coalition.domain.errors import OperatorLeftError
from shared.events.coalition import OperatorState
from shared.ids import IdentifierKeys, IdentifierType, hash_identifier, normalise_identifier

_ANY_CARD = "0000"


@dataclass(frozen=True, slots=True)
class Operator:
    """One cashier of a partner. Who has left has no own card any more: nothing is to be told by it."""

    partner_id: str
    operator_hash: str
    state: OperatorState = "active"
    own_card_hashes: tuple[str, ...] = field(default=(), repr=False)
    version: int = 1

    @property
    def subject(self) -> str:
        """What its events and acts bear."""
        return f"{self.partner_id}/{self.operator_hash}"

    @property
    def has_own_card(self) -> bool:
        """Whether the partner has named the operator's own member card."""
        return bool(self.own_card_hashes)

    def facts(self) -> dict[str, JsonValue]:
        """What the audit log may say: neither the card nor a hash of it."""
        return facts_of(self) | {"has_own_card": self.has_own_card}


@dataclass(frozen=True, slots=True)
class OperatorChange:
    """What changes of an operator; None stays as it is, and no hashes take the own card away."""

    state: OperatorState | None = None
    own_card_hashes: tuple[str, ...] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OperatorHashing:
    """From what a partner says to what is kept: with the programme's keys, as receipts are hashed at their door."""

    keys: IdentifierKeys
    country: str

    def operator_hash(self, partner_id: str, staff_number: str) -> str:
        """What stands for a cashier: the hash that accrual writes into his receipts."""
        return hash_identifier(IdentifierType.OPERATOR, f"{partner_id}/{staff_number}", self.keys.present)

    def card_hashes(self, card: str) -> tuple[str, ...]:
        """What may stand for a member card, under every valid key.

        Raises:
            InvalidIdentifierError: it cannot be one.
        """
        normal = normalise_identifier(IdentifierType.CARD, card, self.country)
        return self.keys.hashes(IdentifierType.CARD, normal)

    def fingerprint(self, body: bytes) -> bytes:
        """A keyed digest, in hex, of a request with staff numbers: equal for equal requests, and no more. There are so
        few staff numbers that a plain digest of one can be guessed."""
        return hmac.digest(self.keys.oldest.secret, b"request:" + body, "sha256").hex().encode()


def changed(operator: Operator, change: OperatorChange) -> Operator:
    """The operator with this change, a version higher; the very same operator where nothing is different.

    Raises:
        OperatorLeftError: an own card is named for somebody who has left.
    """
    state = change.state or operator.state
    cards = operator.own_card_hashes if change.own_card_hashes is None else change.own_card_hashes
    if state == "left":
        if change.own_card_hashes:
            raise OperatorLeftError("an own card is kept of operators at work alone: make the operator active")
        cards = ()
    if (state, cards) == (operator.state, operator.own_card_hashes):
        return operator
    return replace(operator, state=state, own_card_hashes=cards, version=operator.version + 1)


def oldest_version(hashing: OperatorHashing) -> int:
    """The lowest version of the keys that are valid: hashes of any card begin with theirs."""
    return min(int(made.partition(".")[0]) for made in hashing.card_hashes(_ANY_CARD))
