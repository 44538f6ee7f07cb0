"""What makes points alike: lots, and the keys that tell them apart.

A lot is one per owner and terms: earning under the same terms adds to it. Its key follows from its terms alone, so
that nothing has to be read, and no number handed out, before points are credited. Keys sort in the order in which
points are spent, which makes one index serve both the look-up and the order.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import blake2b

from shared.ledger.conditions import Funding, Limits, write_funding, write_limits

# The issuer of points that nobody's till gave. No partner can be called so: a code begins with a letter or a digit.
PROGRAMME = "~programme"

KEY_BYTES = 16
ISSUER_LENGTH_MAX = 64
BASIS_LENGTH_MAX = 32
AWARD_BYTES_MAX = 512  # a receipt's natural key, as shared.receipt_key bounds it

_NEVER = b"\xff\xff\xff\xff"  # points without an expiry are spent last
_TERMS_CACHED_MAX = 4096  # one day's receipts of a partner share their terms


@dataclass(frozen=True, slots=True)
class LotTerms:
    """The history that points of one lot share.

    ``issuer`` is the partner that gave them; ``basis`` why (purchase, gift, compensation …); ``available_from`` the
    day from which they may be spent; ``expires_on`` the first day on which they may no longer be (None: never).
    ``funding`` says who pays for them (None: the issuer), ``limits`` for what they may be spent (None: anything).
    ``key`` follows from the others (see ``terms_key``): 16 bytes, ascending in the order of spending.
    """

    issuer: str
    available_from: date
    expires_on: date | None
    basis: str = "purchase"
    funding: Funding | None = None
    limits: Limits | None = None
    key: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.issuer) <= ISSUER_LENGTH_MAX or not 1 <= len(self.basis) <= BASIS_LENGTH_MAX:
            raise ValueError("a lot needs an issuer of 1 to 64 characters and a basis of 1 to 32")
        if self.expires_on is not None and self.expires_on <= self.available_from:
            raise ValueError("points that expire before they are available are no points")
        key = terms_key(self.issuer, self.basis, self.available_from, self.expires_on, self.funding, self.limits)
        object.__setattr__(self, "key", key)

    def __hash__(self) -> int:
        return hash(self.key)  # which follows from everything else


@lru_cache(maxsize=_TERMS_CACHED_MAX)
def terms_key(
    issuer: str,
    basis: str,
    available_from: date,
    expires_on: date | None,
    funding: Funding | None = None,
    limits: Limits | None = None,
) -> bytes:
    """The key of the lot with these terms.

    The day of expiry (4 bytes, big-endian; the highest value for never), the day of availability (4 bytes), and 8
    bytes of a digest over everything else. First expiring first; among equals the older; then by digest, so that
    the order of spending depends on nothing but the terms. Keys are stored for ever: golden values keep this function.
    """
    identity = f"{len(issuer)}:{issuer}{basis}"  # the length keeps the two texts apart
    if funding is not None or limits is not None:  # what has neither keeps the key that it had before there were any
        written = (write_funding(funding) if funding else "", write_limits(limits) if limits else "")
        identity = f"{len(identity)}:{identity}{len(written[0])}:{written[0]}{written[1]}"
    return _days(available_from, expires_on) + blake2b(identity.encode(), digest_size=8, person=b"lot").digest()


def lapse_bound(today: date) -> bytes:
    """Keys of lots whose points may no longer be spent on this day are below it; all others are not."""
    return (today.toordinal() + 1).to_bytes(4, "big")


def pending_key(terms: LotTerms, award: bytes) -> bytes:
    """The key of the lot in which one award's points wait: the same days as its terms' lot, and a digest of its own."""
    digest = blake2b(terms.key + award, digest_size=8, person=b"pending").digest()
    return _days(terms.available_from, terms.expires_on) + digest


def _days(available_from: date, expires_on: date | None) -> bytes:
    last = _NEVER if expires_on is None else expires_on.toordinal().to_bytes(4, "big")
    return last + available_from.toordinal().to_bytes(4, "big")
