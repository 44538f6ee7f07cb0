"""Reads a till's document: who issued it, what identifies it, and whether it can be true at all. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.content_keys import ContentKeys
from services.accrual.domain.receipts import check_line_ids, check_sums
from services.accrual.domain.tender_types import check_point_types
from services.accrual.programme import Programme
from services.accrual.repository.places import Tolerance
from services.accrual.schemas.documents import ReceiptBody
from services.accrual.use_cases.document_kinds import faults_of_kind
from services.accrual.use_cases.points_discounts import faults_of_points_discounts
from shared.content_hash import content_hash
from shared.faults import Fault
from shared.identifier_capabilities import Capabilities
from shared.ids import (
    IdentifierKeys,
    IdentifierType,
    InvalidIdentifierError,
    normalise_identifier,
)
from shared.qr_tokens import RECEIPT_CLOCK_TOLERANCE, InvalidQrTokenError, QrKeys, is_qr_token
from shared.receipt_key import SequenceKey, encode_receipt_key, receipt_id_of

FUTURE_TOLERANCE = timedelta(minutes=10)
SELLERS_MAX = 100  # of one receipt: each has points of its own, which are moved apart


class InvalidDocumentError(Exception):
    """The document cannot be accepted; each fault points at a field."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Issuer:
    """On whose behalf a document is posted. A till says store and till too; a partner's client only the partner."""

    partner_id: str | None
    store_id: str | None
    till_id: str | None


@dataclass(frozen=True, slots=True)
class Submission:
    """A document with its identity: who issued it where, its natural key, its hash, and what was shown: an identifier
    as its hash under the present key and, while two are valid, the second one; or the member of a QR token.
    ``session_id`` is the till conversation: the token's, or what the till says.
    """

    body: ReceiptBody
    partner_id: str
    store_id: str
    till_id: str
    natural_key: bytes
    content_hash: str
    identifier_hash: str | None
    member_id: UUID | None = None
    session_id: UUID | None = None
    second_hash: str | None = None

    @property
    def identifier_hashes(self) -> tuple[str, ...]:
        """All that may stand for the identifier, the present key's first."""
        return tuple(each for each in (self.identifier_hash, self.second_hash) if each is not None)

    @property
    def receipt_id(self) -> str:
        """The natural key as URLs show it."""
        return receipt_id_of(self.natural_key)


@dataclass(frozen=True, slots=True)
class Reading:
    """What this programme makes of what a till has read, and what its documents' hashes are keyed with."""

    keys: IdentifierKeys
    country: str
    qr_keys: QrKeys
    capabilities: Capabilities
    content_keys: ContentKeys


class _Shown(NamedTuple):
    """Who was shown at the till: by the hash of an identifier, or by a QR token. Nobody: all is None."""

    identifier_hash: str | None = None
    member_id: UUID | None = None
    session_id: UUID | None = None
    second_hash: str | None = None


def identify(body: ReceiptBody, issuer: Issuer, reading: Reading) -> Submission:
    """Find out whose document this is and what identifies it.

    Raises:
        InvalidDocumentError: it belongs to another partner, store or till than the caller's, or names none; or its
            identifier cannot be one, may not earn, or is a QR token that did not count when the receipt was made.
    """
    faults: list[Fault] = []
    in_key = (body.key.store_id, body.key.till_id) if isinstance(body.key, SequenceKey) else (None, None)
    partner_id = _one_of("/partner_id", "partner", body.partner_id, issuer.partner_id, None, faults)
    store_id = _one_of("/store_id", "store", body.store_id, issuer.store_id, in_key[0], faults)
    till_id = _one_of("/till_id", "till", body.till_id, issuer.till_id, in_key[1], faults)
    shown = _shown(body, reading, faults)
    if faults:
        raise InvalidDocumentError(faults)
    return Submission(
        body=body,
        partner_id=partner_id,
        store_id=store_id,
        till_id=till_id,
        natural_key=encode_receipt_key(partner_id, body.key),
        content_hash=reading.content_keys.seal(content_hash(body)),
        identifier_hash=shown.identifier_hash,
        member_id=shown.member_id,
        session_id=shown.session_id or body.session_id,
        second_hash=shown.second_hash,
    )


def _shown(body: ReceiptBody, reading: Reading, faults: list[Fault]) -> _Shown:
    """Whom the till has read. A receipt may come hours later: a token must have counted when the receipt was made."""
    said = body.identifier
    if said is None:
        return _Shown()
    is_token = said.type == "token" and is_qr_token(said.value)
    if not reading.capabilities.of(said.type, "token" if is_token else said.entry_method).may_earn:
        faults.append(Fault("/identifier", "earns nothing in this programme, entered this way: post without it"))
    try:
        if is_token:
            token = reading.qr_keys.open(said.value)
            token.require(body.occurred_at, RECEIPT_CLOCK_TOLERANCE)
            if body.session_id not in (None, token.session_id):
                faults.append(Fault("/session_id", "the QR token belongs to another session: send its own, or none"))
            return _Shown(None, token.member_id, token.session_id)
        kind = IdentifierType(said.type)
        present, *second = reading.keys.hashes(kind, normalise_identifier(kind, said.value, reading.country))
        return _Shown(present, second_hash=second[0] if second else None)
    except (InvalidIdentifierError, InvalidQrTokenError) as error:
        faults.append(Fault("/identifier/value", str(error)))
        return _Shown()


def judge(
    submission: Submission, tolerance: Tolerance, till_scheme: str | None, programme: Programme, now: datetime
) -> int:
    """Whether the document can be true; how many sums were off within tolerance comes back.

    Raises:
        InvalidDocumentError: every fault found, with its pointer.
    """
    body = submission.body
    faults = check_line_ids(body.lines, body.returned_lines or ())
    if len({line.seller for line in body.lines}) > SELLERS_MAX:
        faults.append(Fault("/lines", f"lines of more than {SELLERS_MAX} sellers: make several receipts of them"))
    if body.currency != programme.currency:
        faults.append(Fault("/currency", f"this programme counts in {programme.currency}"))
    faults += check_point_types(body.tenders, programme.point_types)
    if body.occurred_at > now + FUTURE_TOLERANCE:
        faults.append(Fault("/occurred_at", "lies in the future: check the till's clock and its offset from UTC"))
    if till_scheme is not None and till_scheme != body.key.scheme:
        faults.append(Fault("/key/scheme", f"this till declared the key scheme {till_scheme}"))
    faults += faults_of_kind(body)
    faults += faults_of_points_discounts(body)
    tolerated = 0
    if body.lines:
        sums = check_sums(
            body.lines,
            body.total_minor,
            _paid_minor(body),
            tolerance.line_minor,
            tolerance.receipt_minor,
            body.returned_lines or (),
        )
        faults += sums.faults
        tolerated = sums.tolerated
    if faults:
        raise InvalidDocumentError(faults)
    return tolerated


def _paid_minor(body: ReceiptBody) -> list[int]:
    """How the document was paid, by tender; what was kept of a refund is not paid out, and makes up the rest."""
    paid = [tender.amount_minor for tender in body.tenders]
    return [*paid, body.withheld.amount_minor] if paid and body.withheld is not None else paid


def _one_of(
    pointer: str, what: str, said: str | None, issuer: str | None, in_key: str | None, faults: list[Fault]
) -> str:
    """The one value that document, credential and key agree on."""
    values = {value for value in (said, issuer, in_key) if value is not None}
    if len(values) == 1:
        return values.pop()
    if not values:
        faults.append(Fault(pointer, f"say which {what} issued the document"))
    elif issuer is not None and (said or in_key) != issuer:
        faults.append(Fault(pointer, f"the credential belongs to another {what}: post its own documents only"))
    else:
        faults.append(Fault(pointer, f"the document names two different {what}s, here and in its key"))
    return ""
