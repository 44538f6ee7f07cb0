"""From what a person or a till says to the keyed hash that stands for it."""

import hmac
from dataclasses import dataclass, replace

from services.members.domain.cards import CheckDigit, judge_check_digit
from services.members.domain.registry import Claim, IdentifierKind
from shared.ids import IdentifierKeys, IdentifierType, InvalidIdentifierError, normalise_identifier
from shared.qr_tokens import is_qr_token


@dataclass(frozen=True, slots=True)
class Identities:
    """The programme's keys and country: what a value's normal form and hash depend on; and its cards' check digit."""

    keys: IdentifierKeys
    country: str
    card_check_digit: CheckDigit = "none"

    def claim(self, kind: IdentifierKind, value: str) -> Claim:
        """An identifier as its hash.

        Raises:
            InvalidIdentifierError: the value cannot be of this type.
        """
        if kind == "token" and is_qr_token(value):
            raise InvalidIdentifierError("a QR token counts for a minute and cannot be anybody's identifier")
        return self._claim(kind, normalise_identifier(IdentifierType(kind), value, self.country))

    def new_claim(self, kind: IdentifierKind, value: str) -> Claim:
        """An identifier that is to be linked. Only here a card needs its check digit: what was linked before the
        programme asked for one is found and blocked as ever.

        Raises:
            InvalidIdentifierError: the value cannot be of this type, or its check digit does not fit.
        """
        if kind != "card":
            return self.claim(kind, value)
        card = normalise_identifier(IdentifierType.CARD, value, self.country)
        judge_check_digit(self.card_check_digit, card)
        return replace(self._claim(kind, card), card=card)

    def email_hashes(self, email: str) -> tuple[str, ...]:
        """The hashes of a valid e-mail address, under every valid key; letter case makes no other ones."""
        normal = normalise_identifier(IdentifierType.EMAIL, email, self.country)
        return self.keys.hashes(IdentifierType.EMAIL, normal)

    def phone(self, phone: str) -> str:
        """A phone number to call, in E.164.

        Raises:
            InvalidIdentifierError: not a phone number.
        """
        return normalise_identifier(IdentifierType.PHONE, phone, self.country)

    def fingerprint(self, body: bytes) -> bytes:
        """A keyed digest, in hex, of a request that holds personal data: equal for equal requests, and no more."""
        return hmac.digest(self.keys.oldest.secret, b"request:" + body, "sha256").hex().encode()

    def _claim(self, kind: IdentifierKind, normal: str) -> Claim:
        present, *second = self.keys.hashes(IdentifierType(kind), normal)
        return Claim(kind, present, second_hash=second[0] if second else None, value=normal)
