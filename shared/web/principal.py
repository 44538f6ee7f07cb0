"""Who calls: a client or a person with a token, or a till with its key."""

from dataclasses import dataclass

from shared.roles import PERSON_PREFIX, is_person

# What a till may do; it gets no token, so its scopes are the same for all.
TILL_SCOPES = frozenset(
    {"receipts:write", "receipts:read", "redemptions:write", "redemptions:read", "balances:read", "tiers:read"}
)


@dataclass(frozen=True, slots=True)
class TillIdentity:
    """What a till's key stands for, as the projection of tills knows it. Revoked tills are not found."""

    partner_id: str
    store_id: str
    till_id: str


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller. ``partner_id`` is None for the programme's own clients, who see every partner's.

    ``client_id`` is unique among clients, tills and people together (``person:<subject>``): it is the author of what
    the caller does, drafts and approvals are told apart by it, and idempotency keys are scoped by it. ``roles`` are a
    person's: they are where the scopes come from.
    """

    client_id: str
    partner_id: str | None
    scopes: frozenset[str]
    store_id: str | None = None
    till_id: str | None = None
    roles: frozenset[str] = frozenset()

    @property
    def subject(self) -> str | None:
        """The person's id at his issuer; None for clients and tills."""
        return self.client_id.removeprefix(PERSON_PREFIX) if is_person(self.client_id) else None

    @classmethod
    def of_till(cls, till: TillIdentity) -> "Principal":
        """A till as a caller. A client's id bears no slash, so that no client can be taken for a till."""
        return cls(
            client_id=f"{till.partner_id}/{till.store_id}/{till.till_id}",
            partner_id=till.partner_id,
            scopes=TILL_SCOPES,
            store_id=till.store_id,
            till_id=till.till_id,
        )

    def sees(self, partner_id: str | None) -> bool:
        """Whether an object of this partner exists for the caller; answer 404 where it does not."""
        return self.partner_id is None or self.partner_id == partner_id
