"""The registry's routes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.domain.identities import Identities
from services.members.domain.registry import Claim, Person
from services.members.schemas import (
    ContactAnswer,
    EnrolmentAnswer,
    EnrolmentBody,
    IdentifierAnswer,
    IdentifierBody,
    MemberAnswer,
    ResolvedAnswer,
)
from services.members.use_cases.enrol_member import Enrolment, enrol_member
from services.members.use_cases.link_identifier import link_identifier
from services.members.use_cases.read_member import read_identifiers, read_member
from services.members.use_cases.resolve_identifier import resolve_identifier
from shared.database import Database, Transaction
from shared.ids import InvalidIdentifierError, new_id
from shared.web import Answer, IdempotencyKey, Principal, Problem, idempotent, invalid_field, problems, requires

Writer = Annotated[Principal, requires("members:write")]
Reader = Annotated[Principal, requires("members:read")]
Correspondent = Annotated[Principal, requires("members:contact")]


class MembersApi:
    """Enrol, link, resolve, read. Every route is authorised; persons are shown to the programme's own clients alone."""

    def __init__(self, database: Database, identities: Identities) -> None:
        self._database = database
        self._identities = identities
        self.router = APIRouter(prefix="/v1", tags=["members"])
        add = self.router.add_api_route
        add(
            "/members",
            self.enrol,
            methods=["POST"],
            status_code=201,
            response_model=EnrolmentAnswer,
            responses=problems(400, 401, 403, 409, 413, 415, 422),
        )
        add("/members/{member_id}", self.read, methods=["GET"], responses=problems(401, 403, 404, 422))
        add("/members/{member_id}/contact", self.contact, methods=["GET"], responses=problems(401, 403, 404, 422))
        add(
            "/members/{member_id}/identifiers",
            self.link,
            methods=["POST"],
            status_code=201,
            response_model=IdentifierAnswer,
            responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
        )
        add(
            "/identifiers:resolve",
            self.resolve,
            methods=["POST"],
            responses=problems(400, 401, 403, 404, 413, 415, 422),
        )

    async def enrol(self, body: EnrolmentBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Enrol a person.

        An e-mail address or an identifier that a member has already is refused (409); the answer does not say whose.
        """
        person = Person(body.given_name, body.family_name, body.email, self._phone(body.phone))
        claims = [self._claim(item, f"/identifiers/{index}") for index, item in enumerate(body.identifiers)]
        enrolment = Enrolment(
            member_id=new_id(),
            person=person,
            email_hash=self._identities.email_hash(body.email),
            language=body.language,
            region=body.region,
            claims=claims,
            enrolled_by=principal.client_id,
        )

        async def work(transaction: Transaction) -> Answer:
            member, identifiers = await enrol_member(transaction, enrolment)
            answer = EnrolmentAnswer(
                member_id=member.member_id,
                status=member.status,
                version=member.version,
                enrolled_at=member.enrolled_at,
                identifiers=[IdentifierAnswer.of(identifier) for identifier in identifiers],
            )
            return Answer(201, answer)

        return await idempotent(self._database, principal, key, self._fingerprint(body), work)

    async def link(self, member_id: UUID, body: IdentifierBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Link an identifier to a member.

        One that is this member's already is answered as it stands; one that is another member's is refused (409).
        """
        claim = self._claim(body, "")

        async def work(transaction: Transaction) -> Answer:
            return Answer(201, IdentifierAnswer.of(await link_identifier(transaction, member_id, claim)))

        return await idempotent(self._database, principal, key, self._fingerprint(body), work)

    async def resolve(self, body: IdentifierBody, _: Reader) -> ResolvedAnswer:
        """Whose identifier is it? No effect, so no Idempotency-Key; a POST, so that the value stands in no log."""
        claim = self._claim(body, "")
        async with self._database.transaction() as transaction:
            return ResolvedAnswer(member_id=await resolve_identifier(transaction, claim))

    async def read(self, member_id: UUID, principal: Reader) -> MemberAnswer:
        """A member and the person behind it. For the programme's own clients."""
        _refuse_partners(principal)
        async with self._database.transaction() as transaction:
            member, person = await read_member(transaction, member_id)
            return MemberAnswer.of(member, person, await read_identifiers(transaction, member_id))

    async def contact(self, member_id: UUID, principal: Correspondent) -> ContactAnswer:
        """Where to write to a member, read when a message is sent. For the programme's own clients."""
        _refuse_partners(principal)
        async with self._database.transaction() as transaction:
            member, person = await read_member(transaction, member_id)
        return ContactAnswer(
            member_id=member.member_id,
            status=member.status,
            given_name=person.given_name,
            email=person.email,
            language=member.language,
        )

    def _claim(self, body: IdentifierBody, pointer: str) -> Claim:
        try:
            return self._identities.claim(body.type, body.value)
        except InvalidIdentifierError as error:
            raise invalid_field(f"{pointer}/value", str(error)) from None

    def _phone(self, phone: str | None) -> str | None:
        try:
            return None if phone is None else self._identities.phone(phone)
        except InvalidIdentifierError as error:
            raise invalid_field("/phone", str(error)) from None

    def _fingerprint(self, body: EnrolmentBody | IdentifierBody) -> bytes:
        """What tells a retry from another request. Keyed: a plain digest of a phone number can be guessed."""
        return self._identities.fingerprint(body.model_dump_json().encode())


def _refuse_partners(principal: Principal) -> None:
    if principal.partner_id is not None:
        raise Problem(
            403,
            "programme-only",
            "Persons are shown to the programme's own clients alone: this client is bound to a partner.",
        )
