"""What happens to identifiers, and whose they are. A value stands in a body, never in a URL."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.api.claims import claim_of, new_claim_of
from services.members.domain.identifier_states import Action, Statement
from services.members.domain.identities import Identities
from services.members.domain.registry import IdentifierKind
from services.members.schemas.identifiers import (
    ChangeAnswer,
    ChangeBody,
    HistoryAnswer,
    NamedIdentifierBody,
    ReplacementAnswer,
    ReplacementBody,
    ResolveBody,
    ResolvedAnswer,
)
from services.members.schemas.registry import IdentifierAnswer
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.change_identifier import change_identifier
from services.members.use_cases.issue_qr_token import resolve_qr_token
from services.members.use_cases.read_identifier_history import read_identifier_history
from services.members.use_cases.replace_identifier import replace_identifier
from services.members.use_cases.resolve_identifier import IdentifierDesk
from shared.database import Database, Transaction
from shared.qr_tokens import InvalidQrTokenError, QrKeys, QrToken, is_qr_token
from shared.web import Answer, IdempotencyKey, Principal, idempotent, invalid_field, problems, refuse_partners, requires

Changer = Annotated[Principal, requires("identifiers:write")]
Reader = Annotated[Principal, requires("members:read")]

_CHANGE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def changes_router(database: Database, identities: Identities, master_keys: MasterKeys) -> APIRouter:
    """Blocking, unblocking, reporting lost, replacing. For the programme's own clients."""
    router = APIRouter(prefix="/v1", tags=["identifiers"])

    async def change(action: Action, body: ChangeBody, principal: Principal, key: IdempotencyKey) -> Response:
        hashes = _hashes_of(identities, body, "")
        statement = Statement(body.reason_code, principal.client_id)

        async def work(transaction: Transaction) -> Answer:
            changed = await change_identifier(transaction, hashes, action, statement)
            return Answer(200, IdentifierAnswer.of(changed))

        return await idempotent(database, principal, key, _fingerprint(identities, body), work)

    @router.post("/identifiers:block", response_model=IdentifierAnswer, responses=_CHANGE_PROBLEMS)
    async def block(body: ChangeBody, principal: Changer, key: IdempotencyKey) -> Response:
        """Block an identifier: from now on nothing is spent by it, within two seconds everywhere."""
        return await change("block", body, principal, key)

    @router.post("/identifiers:unblock", response_model=IdentifierAnswer, responses=_CHANGE_PROBLEMS)
    async def unblock(body: ChangeBody, principal: Changer, key: IdempotencyKey) -> Response:
        """Take a block back. What is lost or replaced stays so."""
        return await change("unblock", body, principal, key)

    @router.post("/identifiers:report-lost", response_model=IdentifierAnswer, responses=_CHANGE_PROBLEMS)
    async def report_lost(body: ChangeBody, principal: Changer, key: IdempotencyKey) -> Response:
        """Report an identifier lost, for good: nothing is spent by it any more."""
        return await change("report_lost", body, principal, key)

    @router.post(
        "/members/{member_id}/identifiers:replace", response_model=ReplacementAnswer, responses=_CHANGE_PROBLEMS
    )
    async def replace(member_id: UUID, body: ReplacementBody, principal: Changer, key: IdempotencyKey) -> Response:
        """Replace an identifier by another one of its type: out and in at once. Points are the member's and stay."""
        old_hashes = _hashes_of(identities, body.old, "/old")
        new = new_claim_of(identities, body.new, "/new")
        statement = Statement(body.reason_code, principal.client_id)

        async def work(transaction: Transaction) -> Answer:
            replaced = await replace_identifier(
                transaction, member_id, old_hashes, new, statement, master_keys, is_lost=body.is_lost
            )
            return Answer(200, ReplacementAnswer.of(*replaced))

        return await idempotent(database, principal, key, _fingerprint(identities, body), work)

    return router


def resolving_router(
    database: Database, identities: Identities, match_order: Sequence[IdentifierKind], qr_keys: QrKeys
) -> APIRouter:
    """Whose an identifier is, and what happened to a member's; changes nothing."""
    router = APIRouter(prefix="/v1", tags=["identifiers"])
    desk = IdentifierDesk(database, match_order)

    @router.post(
        "/identifiers:resolve",
        response_model=ResolvedAnswer,
        responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
    )
    async def resolve(body: ResolveBody, _: Reader) -> Response:
        """Whose identifier is it? Of several, the first in the programme's order that is in use says who is there; a QR
        token before all others.

        No effect, so no Idempotency-Key; a POST, so that the value stands in no log.
        """
        is_list = body.identifiers is not None
        for index, item in enumerate(body.read):
            if item.type == "token" and is_qr_token(item.value):
                token = _opened(qr_keys, item.value, f"/identifiers/{index}/value" if is_list else "/value")
                async with database.transaction() as transaction:
                    member_id = await resolve_qr_token(transaction, token)
                return _resolved(member_id, "token" if is_list else None)
        claims = [
            claim_of(identities, item, f"/identifiers/{index}" if is_list else "")
            for index, item in enumerate(body.read)
        ]
        found = await desk.resolve(claims)
        return _resolved(found.member_id, found.type if is_list else None)

    @router.get("/members/{member_id}/identifier-changes", responses=problems(401, 403, 422))
    async def history(member_id: UUID, principal: Reader) -> HistoryAnswer:
        """What happened to a member's identifiers, who said so and why. For the programme's own clients."""
        refuse_partners(principal, "Histories are shown")
        async with database.transaction() as transaction:
            changes = await read_identifier_history(transaction, member_id)
        return HistoryAnswer(changes=[ChangeAnswer.of(change) for change in changes])

    return router


def _hashes_of(identities: Identities, body: NamedIdentifierBody, pointer: str) -> tuple[str, ...]:
    if body.identifier is not None:
        return claim_of(identities, body.identifier, f"{pointer}/identifier").hashes
    if body.identifier_hash is None:
        raise AssertionError("unreachable: the body names an identifier in one of two ways")
    return (body.identifier_hash,)


def _fingerprint(identities: Identities, body: ChangeBody | ReplacementBody) -> bytes:
    """What tells a retry from another request. Keyed: a plain digest of a card's number can be guessed."""
    return identities.fingerprint(body.model_dump_json().encode())


def _resolved(member_id: UUID, kind: IdentifierKind | None) -> Response:
    """The answer as bytes: tills ask a thousand times a second, and FastAPI would validate it once more."""
    answer = ResolvedAnswer(member_id=member_id, type=kind)
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")


def _opened(keys: QrKeys, token: str, pointer: str) -> QrToken:
    try:
        return keys.open(token)
    except InvalidQrTokenError as error:
        raise invalid_field(pointer, str(error)) from None
