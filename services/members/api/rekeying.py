"""Replacing the identifier key. For the programme alone."""

from typing import Annotated

from fastapi import APIRouter, Response

from services.members.domain.identities import Identities
from services.members.schemas.rekeying import RekeyBody, RekeyedAnswer, RetiredKeyAnswer, RetireKeyBody
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.rekey_identifiers import rekey_members
from services.members.use_cases.retire_key import retire_key
from shared.database import Database, Transaction
from shared.web import Answer, IdempotencyKey, Principal, idempotent, problems, refuse_partners, requires

Keeper = Annotated[Principal, requires("identifiers:rekey")]

_PROBLEMS = problems(400, 401, 403, 409, 413, 415, 422)


def rekeying_router(database: Database, identities: Identities, master_keys: MasterKeys) -> APIRouter:
    """Hash identifiers with a second key, and retire the first."""
    router = APIRouter(prefix="/v1", tags=["operations"])

    @router.post("/identifiers:rekey", response_model=RekeyedAnswer, responses=_PROBLEMS)
    async def rekey(body: RekeyBody, principal: Keeper, key: IdempotencyKey) -> Response:
        """Hash what leads to a page of members with every valid key, and tell what is new.

        Page by page until ``last_member_id`` is null; what has all its hashes is passed over, so that a run may be
        broken off and begun again.
        """
        refuse_partners(principal, "Identifiers are hashed anew")

        async def work(transaction: Transaction) -> Answer:
            page = await rekey_members(transaction, identities, master_keys, body.after, body.members_max)
            return Answer(200, RekeyedAnswer.of(page))

        return await idempotent(database, principal, key, body, work)

    @router.post("/identifiers:retire-key", response_model=RetiredKeyAnswer, responses=_PROBLEMS)
    async def retire(body: RetireKeyBody, principal: Keeper, key: IdempotencyKey) -> Response:
        """Retire a key: its hashes are let go here and everywhere, and never count again. It cannot be undone.

        Refused (409) for the key that identifiers are hashed with, and while something has no hash of that one.
        """
        refuse_partners(principal, "Keys are retired")

        async def work(transaction: Transaction) -> Answer:
            await retire_key(transaction, identities.keys, body.key_version, forgets_unknown=body.forgets_unknown)
            return Answer(200, RetiredKeyAnswer(key_version=body.key_version))

        return await idempotent(database, principal, key, body, work)

    return router
