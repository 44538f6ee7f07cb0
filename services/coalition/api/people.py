"""People: registered, given roles and secrets, revoked, by the programme's own clients alone.

A person is kept as a client is (``person:<subject>``): the same token endpoint, secrets, revocation and bounds.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import TypeAdapter

from services.coalition.api.client_changes import change
from services.coalition.api.clients import hash_secret
from services.coalition.api.secret_rotation import SecretRotation
from services.coalition.api.shown_once import ShownOnce
from services.coalition.credentials.secrets import new_client_secret
from services.coalition.domain.clients import revoked, with_roles
from services.coalition.domain.registry import FIRST_VERSION, ApiClient
from services.coalition.schemas.clients import ClientAnswer, RevocationBody, RotationAnswer, RotationBody
from services.coalition.schemas.people import SUBJECT_LENGTH_MAX, SUBJECT_PATTERN, PersonBody, PersonView, RolesBody
from services.coalition.use_cases.read_clients import read_client, read_clients
from services.coalition.use_cases.register_client import register_client
from shared.database import Database, Transaction
from shared.roles import PERSON_PREFIX
from shared.secret_hasher import SecretHasher
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    problems,
    refuse_partners,
    requires,
)

Writer = Annotated[Principal, requires("people:write")]
Reader = Annotated[Principal, requires("people:read")]
_WHAT = "People are"
SubjectInPath = Annotated[str, Path(pattern=SUBJECT_PATTERN, max_length=SUBJECT_LENGTH_MAX)]

_POSITION = TypeAdapter(tuple[CodeText])
_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)
_READING = problems(400, 401, 403, 404, 422)


def people_router(database: Database, hasher: SecretHasher, shown_once: ShownOnce) -> APIRouter:
    """Register and read people."""
    router = APIRouter(prefix="/v1/people", tags=["people"])

    @router.post("", status_code=201, response_model=ClientAnswer, responses=_PROBLEMS | problems(503))
    async def register(body: PersonBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Register a person. The secret stands in this answer and nowhere else."""
        refuse_partners(principal, _WHAT)
        secret = new_client_secret()
        nobody = ApiClient(
            client_id=PERSON_PREFIX + body.subject,
            partner_id=body.partner_id,
            scopes=(),
            secret_hash=await hash_secret(hasher, secret),
            is_revoked=False,
            version=FIRST_VERSION - 1,
        )

        async def work(transaction: Transaction) -> Answer:
            person = with_roles(nobody, body.roles)
            await register_client(transaction, person, principal.client_id)
            answer = ClientAnswer(
                client_id=person.client_id,
                partner_id=person.partner_id,
                scopes=list(person.scopes),
                version=person.version,
                client_secret=shown_once.seal_client_secret(person.client_id, secret),
            )
            return Answer(201, answer)

        return shown_once.open_client(await idempotent(database, principal, key, body, work))

    @router.get("", responses=_READING)
    async def list_people(principal: Reader, paging: Paging) -> Page[PersonView]:
        """People in the order of their subjects."""
        refuse_partners(principal, _WHAT)
        position = paging.position(_POSITION)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_clients(
                transaction, are_people=True, partner_id=None, after=after, rows_max=paging.limit + 1
            )
        shown = [PersonView.of(person) for person in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.client_id for answer in shown[-1:]])

    @router.get("/{subject}", responses=_READING)
    async def read(subject: SubjectInPath, principal: Reader) -> PersonView:
        """One person."""
        refuse_partners(principal, _WHAT)
        async with database.transaction() as transaction:
            return PersonView.of(await read_client(transaction, PERSON_PREFIX + subject))

    return router


def people_changes_router(database: Database, hasher: SecretHasher, shown_once: ShownOnce) -> APIRouter:
    """Change people."""
    router = APIRouter(prefix="/v1/people/{subject}", tags=["people"])
    rotation = SecretRotation(database, hasher, shown_once)

    @router.post("/roles:replace", response_model=PersonView, responses=_PROBLEMS)
    async def replace_roles(
        subject: SubjectInPath, body: RolesBody, principal: Writer, key: IdempotencyKey
    ) -> Response:
        """Other roles. What is withdrawn ends within 30 seconds for tokens that are out, too."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            given = partial(with_roles, roles=body.roles)
            client_id = PERSON_PREFIX + subject
            after = await change(transaction, client_id, given, "person.roles_replaced", principal, body.why)
            return Answer(200, PersonView.of(after))

        return await idempotent(database, principal, key, body, work)

    @router.post("/secrets:rotate", response_model=RotationAnswer, responses=_PROBLEMS | problems(503))
    async def rotate(subject: SubjectInPath, body: RotationBody, principal: Writer, key: IdempotencyKey) -> Response:
        """A new secret, shown in this answer alone. The present one stays good for ``overlap_seconds``."""
        refuse_partners(principal, _WHAT)
        return await rotation.rotate(PERSON_PREFIX + subject, "person.secret_rotated", body, principal, key)

    @router.post("/revoke", response_model=PersonView, responses=_PROBLEMS)
    async def revoke(subject: SubjectInPath, body: RevocationBody, principal: Writer, key: IdempotencyKey) -> Response:
        """For ever: no token any more, and those that are out are refused everywhere within 30 seconds."""
        refuse_partners(principal, _WHAT)

        async def work(transaction: Transaction) -> Answer:
            client_id = PERSON_PREFIX + subject
            after = await change(transaction, client_id, revoked, "person.revoked", principal, body.why)
            return Answer(200, PersonView.of(after))

        return await idempotent(database, principal, key, body, work)

    return router
