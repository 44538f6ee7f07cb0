"""The registry's routes. Persons are shown to the programme's own clients alone."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.api.partner_binding import refuse_partners
from services.members.api.phones import contact_phone
from services.members.domain.accesses import Access, ReadPurpose
from services.members.domain.identities import Identities
from services.members.domain.registry import Claim, Person
from services.members.schemas.registry import (
    ContactAnswer,
    EnrolmentAnswer,
    EnrolmentBody,
    IdentifierAnswer,
    IdentifierBody,
    MemberAnswer,
)
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.enrol_member import Enrolment, enrol_member
from services.members.use_cases.link_identifier import link_identifier
from services.members.use_cases.read_member import read_identifiers, read_member
from shared.database import Database, Transaction
from shared.ids import InvalidIdentifierError, new_id
from shared.web import Answer, IdempotencyKey, Principal, etag, idempotent, invalid_field, problems, requires

Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]
Correspondent = Annotated[Principal, requires("members:contact")]


def enrolment_router(database: Database, identities: Identities, master_keys: MasterKeys) -> APIRouter:
    """Joining: a person enrols, an identifier is linked."""
    router = APIRouter(prefix="/v1", tags=["enrolment"])

    @router.post(
        "/members",
        status_code=201,
        response_model=EnrolmentAnswer,
        responses=problems(400, 401, 403, 409, 413, 415, 422),
    )
    async def enrol(body: EnrolmentBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Enrol a person.

        An e-mail address or an identifier that a member has already is refused (409); the answer does not say whose.
        """
        enrolment = enrolment_of_body(body, principal, identities)

        async def work(transaction: Transaction) -> Answer:
            return Answer(201, EnrolmentAnswer.of(*await enrol_member(transaction, enrolment, master_keys)))

        return await idempotent(database, principal, key, _fingerprint(identities, body), work)

    @router.post(
        "/members/{member_id}/identifiers",
        status_code=201,
        response_model=IdentifierAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def link(member_id: UUID, body: IdentifierBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Link an identifier to a member.

        One that is this member's already is answered as it stands; one that is another member's is refused (409).
        """
        claim, author = new_claim_of(identities, body, ""), principal.client_id

        async def work(transaction: Transaction) -> Answer:
            return Answer(201, IdentifierAnswer.of(await link_identifier(transaction, member_id, claim, author)))

        return await idempotent(database, principal, key, _fingerprint(identities, body), work)

    return router


def lookup_router(database: Database, master_keys: MasterKeys) -> APIRouter:
    """Reading members; changes nothing."""
    router = APIRouter(prefix="/v1", tags=["members"])

    @router.get("/members/{member_id}", responses=problems(401, 403, 404, 422))
    async def read(
        member_id: UUID, principal: Reader, response: Response, purpose: ReadPurpose = "service"
    ) -> MemberAnswer:
        """A member and the person behind it. For the programme's own clients; who asked, and what for, is recorded."""
        refuse_partners(principal, "Persons are shown")
        async with database.transaction() as transaction:
            access = Access(member_id, principal.client_id, purpose, "member")
            member, person = await read_member(transaction, access, master_keys)
            response.headers.update(etag(member.version))
            return MemberAnswer.of(member, person, await read_identifiers(transaction, member.member_id))

    @router.get("/members/{member_id}/contact", responses=problems(401, 403, 404, 422))
    async def contact(member_id: UUID, principal: Correspondent) -> ContactAnswer:
        """Where to write to a member, read when a message is sent. For the programme's own clients."""
        refuse_partners(principal, "Persons are shown")
        async with database.transaction() as transaction:
            access = Access(member_id, principal.client_id, "message", "contact")
            return ContactAnswer.of(*await read_member(transaction, access, master_keys))

    return router


def enrolment_of_body(body: EnrolmentBody, principal: Principal, identities: Identities) -> Enrolment:
    """A request to join, with its identifiers as hashes. One that cannot be of its type is a problem that names it."""
    return Enrolment(
        member_id=new_id(),
        person=Person(
            given_name=body.given_name,
            family_name=body.family_name,
            email=body.email,
            phone=contact_phone(identities, body.phone),
            birth_date=body.birth_date,
            address=None if body.address is None else body.address.address(),
        ),
        email_hash=identities.email_hash(body.email),
        language=body.language,
        region=body.region,
        claims=[new_claim_of(identities, item, f"/identifiers/{index}") for index, item in enumerate(body.identifiers)],
        enrolled_by=principal.client_id,
    )


def new_claim_of(identities: Identities, body: IdentifierBody, pointer: str) -> Claim:
    """An identifier that is to be linked, as its hash; one that cannot be is refused like one that cannot be named."""
    try:
        return identities.new_claim(body.type, body.value)
    except InvalidIdentifierError as error:
        raise invalid_field(f"{pointer}/value", str(error)) from None


def claim_of(identities: Identities, body: IdentifierBody, pointer: str) -> Claim:
    """An identifier as its hash; one that cannot be of its type is refused with ``pointer`` and its field."""
    try:
        return identities.claim(body.type, body.value)
    except InvalidIdentifierError as error:
        raise invalid_field(f"{pointer}/value", str(error)) from None


def _fingerprint(identities: Identities, body: EnrolmentBody | IdentifierBody) -> bytes:
    """What tells a retry from another request. Keyed: a plain digest of a phone number can be guessed."""
    return identities.fingerprint(body.model_dump_json().encode())
