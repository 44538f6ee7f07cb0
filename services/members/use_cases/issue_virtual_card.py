"""Issue a virtual card: a number of our own making, which is the member's at once."""

import secrets
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.members.domain.cards import virtual_card
from services.members.domain.errors import IdentifierTakenError
from services.members.domain.identities import Identities
from services.members.domain.registry import Identifier
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.link_identifier import link_identifier
from shared.database import Transaction

VIRTUAL: Literal["virtual_card"] = "virtual_card"


@dataclass(frozen=True, slots=True)
class VirtualCard:
    """A card and its number. Shown once: the number is kept sealed alone."""

    identifier: Identifier
    number: str

    def __repr__(self) -> str:
        return f"VirtualCard({self.identifier.hash})"


async def issue_virtual_card(
    transaction: Transaction, member_id: UUID, identities: Identities, master_keys: MasterKeys, prefix: str, author: str
) -> VirtualCard:
    """Make a number and link it to the member; IdentifierLinked is recorded.

    A number that is taken already, which is as likely as guessing one, fails the transaction: asked again, it goes.

    Raises:
        MemberNotFoundError, MemberGoneError
    """
    number = virtual_card(prefix, _random_digits)
    claim = identities.claim("card", number)
    try:
        identifier = await link_identifier(transaction, member_id, claim, author, master_keys, reason_code=VIRTUAL)
    except IdentifierTakenError:
        raise RuntimeError("a new card number is taken: ask again") from None
    return VirtualCard(identifier, number)


def _random_digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))
