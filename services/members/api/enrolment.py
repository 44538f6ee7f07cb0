"""Joining: a person, a card before its person, the person told later, and a card for somebody who is there."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.api.claims import new_claim_of
from services.members.api.consents import said_of
from services.members.api.partner_binding import refuse_for_others
from services.members.api.phones import contact_phone
from services.members.domain.identities import Identities
from services.members.domain.registry import Claim, Person
from services.members.schemas.enrolment import CardEnrolmentBody, EnrolmentBody
from services.members.schemas.rectification import RectifiedAnswer
from services.members.schemas.registry import EnrolmentAnswer, IdentifierAnswer, IdentifierBody, PersonBody
from services.members.schemas.terms import AcceptanceBody
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.accept_terms import Accepted
from services.members.use_cases.enrol_member import Enrolment, enrol_member
from services.members.use_cases.link_identifier import link_identifier
from services.members.use_cases.tell_person import Told, tell_person
from shared.database import Database, Transaction
from shared.ids import new_id
from shared.web import Answer, Body, IdempotencyKey, Principal, idempotent, problems, requires

Writer = Annotated[Principal, requires("members:write")]

_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def enrolment_router(database: Database, identities: Identities, master_keys: MasterKeys) -> APIRouter:
    """Joining."""
    router = APIRouter(prefix="/v1", tags=["enrolment"])

    async def joined(enrolment: Enrolment, body: Body, principal: Principal, key: IdempotencyKey) -> Response:
        async def work(transaction: Transaction) -> Answer:
            return Answer(201, EnrolmentAnswer.of(*await enrol_member(transaction, enrolment, master_keys)))

        return await idempotent(database, principal, key, _fingerprint(identities, body), work)

    @router.post("/members", status_code=201, response_model=EnrolmentAnswer, responses=_PROBLEMS)
    async def enrol(body: EnrolmentBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Enrol a person.

        An e-mail address or an identifier that a member has already is refused (409); the answer does not say whose.
        Whoever does not meet the programme's conditions (``GET /v1/joining-conditions``) is refused (422).
        """
        return await joined(enrolment_of_body(body, principal, identities), body, principal, key)

    @router.post("/members:card-first", status_code=201, response_model=EnrolmentAnswer, responses=_PROBLEMS)
    async def enrol_card(body: CardEnrolmentBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Let a card join at a till, before anybody says whose it is: it earns at once.

        ``PUT /v1/members/{id}/person`` says it later.
        """
        return await joined(_enrolment(body, None, principal, identities), body, principal, key)

    @router.put("/members/{member_id}/person", responses=_PROBLEMS)
    async def tell(member_id: UUID, body: PersonBody, principal: Writer) -> RectifiedAnswer:
        """Say whose card it is that joined first. Told again it changes nothing; another person is refused (409)."""
        told = Told(member_id, _person(body, identities), identities.email_hashes(body.email), principal.client_id)
        return RectifiedAnswer.of(await database.run(lambda transaction: tell_person(transaction, told, master_keys)))

    @router.post(
        "/members/{member_id}/identifiers", status_code=201, response_model=IdentifierAnswer, responses=_PROBLEMS
    )
    async def link(member_id: UUID, body: IdentifierBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Link an identifier to a member.

        One that is this member's already is answered as it stands; one that is another member's is refused (409).
        """
        claim, author = new_claim_of(identities, body, ""), principal.client_id

        async def work(transaction: Transaction) -> Answer:
            return Answer(
                201, IdentifierAnswer.of(await link_identifier(transaction, member_id, claim, author, master_keys))
            )

        return await idempotent(database, principal, key, _fingerprint(identities, body), work)

    return router


def enrolment_of_body(body: EnrolmentBody, principal: Principal, identities: Identities) -> Enrolment:
    """A request to join, with its identifiers as hashes. One that cannot be of its type is a problem that names it."""
    return _enrolment(body, body, principal, identities)


def _enrolment(
    body: EnrolmentBody | CardEnrolmentBody, person: PersonBody | None, principal: Principal, identities: Identities
) -> Enrolment:
    member_id = new_id()
    for consent in body.consents:
        refuse_for_others(principal, consent.partner_id)
    said = [said_of(member_id, consent, principal, f"/consents/{index}") for index, consent in enumerate(body.consents)]
    return Enrolment(
        member_id=member_id,
        channel=body.channel,
        person=None if person is None else _person(person, identities),
        email_hashes=() if person is None else identities.email_hashes(person.email),
        language=body.language,
        region=body.region,
        claims=_claims(body.identifiers, identities),
        enrolled_by=principal.client_id,
        accepted=None if body.accepts_terms is None else _accepted(member_id, body.accepts_terms, principal),
        said=said,
        referral_code=body.referral_code,
    )


def _person(body: PersonBody, identities: Identities) -> Person:
    return Person(
        given_name=body.given_name,
        family_name=body.family_name,
        email=body.email,
        phone=contact_phone(identities, body.phone),
        birth_date=body.birth_date,
        address=None if body.address is None else body.address.address(),
    )


def _claims(identifiers: list[IdentifierBody], identities: Identities) -> list[Claim]:
    return [new_claim_of(identities, item, f"/identifiers/{index}") for index, item in enumerate(identifiers)]


def _accepted(member_id: UUID, body: AcceptanceBody, principal: Principal) -> Accepted:
    return Accepted(
        acceptance_id=new_id(),
        member_id=member_id,
        language=body.language,
        terms_version=body.terms_version,
        source=body.source,
        proof=body.proof,
        accepted_at=body.accepted_at,
        recorded_by=principal.client_id,
    )


def _fingerprint(identities: Identities, body: Body) -> bytes:
    """What tells a retry from another request. Keyed: a plain digest of a phone number can be guessed."""
    return identities.fingerprint(body.model_dump_json().encode())
