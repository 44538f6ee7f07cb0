"""The coalition's words. ``version`` is each subject's own and rises with every change of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.coalition.domain.places import UNKNOWN_PLACE, Place
from services.coalition.domain.standing import Standing
from shared.events.coalition import KeyScheme

FIRST_VERSION = 1


@dataclass(frozen=True, slots=True)
class Partner:
    """A member company. The tolerances say how far a receipt's sums may be off; ``standing`` what is done with it."""

    partner_id: str
    name: str
    standing: Standing
    line_tolerance_minor: int
    receipt_tolerance_minor: int
    version: int


@dataclass(frozen=True, slots=True)
class Store:
    """A shop of a partner, in its own IANA time zone."""

    partner_id: str
    store_id: str
    name: str
    time_zone: str
    version: int
    place: Place = UNKNOWN_PLACE

    @property
    def subject(self) -> str:
        """What its events and acts bear."""
        return f"{self.partner_id}/{self.store_id}"


@dataclass(frozen=True, slots=True)
class Till:
    """A point of sale. ``key_scheme`` says how it numbers its receipts and never changes: it makes their identity.

    The key that was replaced last stays good until ``previous_key_until``.
    """

    partner_id: str
    store_id: str
    till_id: str
    key_scheme: KeyScheme
    key_sha256: str
    is_revoked: bool
    version: int
    previous_key_sha256: str | None = None
    previous_key_until: datetime | None = None

    @property
    def subject(self) -> str:
        """What its events and acts bear."""
        return f"{self.partner_id}/{self.store_id}/{self.till_id}"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests a client may make in a window, of each process of a service."""

    requests: int
    window_seconds: int


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A machine that calls the API; ``partner_id`` is None for the programme's own.

    A person is kept alike: the id begins with ``person:``, and the scopes are those of the ``roles``. The secret that
    was replaced last stays good until ``previous_valid_until``. Without a ``rate_limit`` it has that of the settings.
    """

    client_id: str
    partner_id: str | None
    scopes: tuple[str, ...]
    secret_hash: str = field(repr=False)
    is_revoked: bool
    version: int
    previous_secret_hash: str | None = field(default=None, repr=False)
    previous_valid_until: datetime | None = None
    roles: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None

    def valid_hashes(self, now: datetime) -> tuple[str, ...]:
        """The hashes of the secrets that are good now: none of a revoked client, else one, and two in an overlap."""
        if self.is_revoked:
            return ()
        if self.previous_secret_hash is None or self.previous_valid_until is None or self.previous_valid_until <= now:
            return (self.secret_hash,)
        return (self.secret_hash, self.previous_secret_hash)


@dataclass(frozen=True, slots=True)
class NewTill:
    """A till to register, with the digest of the key that was made for it."""

    till_id: str
    key_scheme: KeyScheme
    key_sha256: str


@dataclass(frozen=True, slots=True)
class NewStore:
    """A store to register, together with tills."""

    store_id: str
    name: str
    time_zone: str
    tills: Sequence[NewTill] = ()
    place: Place = UNKNOWN_PLACE


@dataclass(frozen=True, slots=True)
class RegisteredStore:
    """A store that was just written, and its tills in the order in which they were given."""

    store: Store
    tills: tuple[Till, ...]


def first_store(partner_id: str, new: NewStore) -> RegisteredStore:
    """The store and its tills as they stand at their registration."""
    store = Store(partner_id, new.store_id, new.name, new.time_zone, FIRST_VERSION, new.place)
    return RegisteredStore(store, tuple(first_till(partner_id, new.store_id, till) for till in new.tills))


def first_till(partner_id: str, store_id: str, new: NewTill) -> Till:
    """The till as it stands at its registration."""
    return Till(
        partner_id=partner_id,
        store_id=store_id,
        till_id=new.till_id,
        key_scheme=new.key_scheme,
        key_sha256=new.key_sha256,
        is_revoked=False,
        version=FIRST_VERSION,
    )
