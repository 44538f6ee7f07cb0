"""Stores and tills of a partner. A client that is bound to another partner does not find them."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.coalition.api.shown_once import ShownOnce
from services.coalition.credentials.secrets import new_till_key
from services.coalition.domain.registry import NewStore, NewTill, RegisteredStore
from services.coalition.schemas.fields import CodeInPath
from services.coalition.schemas.stores import (
    StoreAnswer,
    StoreBody,
    StoreOutcome,
    StoresAnswer,
    StoresBody,
    StoreWithTillsBody,
    TillAnswer,
    TillBody,
    TillKey,
)
from services.coalition.use_cases.read_partners import read_stores
from services.coalition.use_cases.register_stores import register_store, register_stores
from services.coalition.use_cases.register_till import register_till
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    CodeText,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    idempotent,
    not_found,
    problems,
    requires,
    till_key_sha256,
)

Writer = Annotated[Principal, requires("partners:write")]
Reader = Annotated[Principal, requires("partners:read")]

_POSITION = TypeAdapter(tuple[CodeText])
_WRITE_PROBLEMS = problems(400, 401, 403, 404, 409, 413, 415, 422)


def stores_router(database: Database, shown_once: ShownOnce) -> APIRouter:
    """Register and read a partner's stores and tills."""
    router = APIRouter(prefix="/v1/partners/{partner_id}", tags=["stores"])

    @router.get("/stores", responses=problems(400, 401, 403, 404, 422))
    async def list_stores(partner_id: CodeInPath, principal: Reader, paging: Paging) -> Page[StoreAnswer]:
        """Stores in the order of their ids."""
        refuse_strangers(principal, partner_id)
        position = paging.position(_POSITION)
        after = None if position is None else position[0]
        async with database.transaction() as transaction:
            found = await read_stores(transaction, partner_id, after=after, rows_max=paging.limit + 1)
        shown = [StoreAnswer.of(store) for store in found[: paging.limit]]
        return Page.of(found, paging.limit, shown, [answer.store_id for answer in shown[-1:]])

    @router.post("/stores", status_code=201, response_model=StoreAnswer, responses=_WRITE_PROBLEMS)
    async def add_store(partner_id: CodeInPath, body: StoreBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Register a store. An id that the partner uses already is refused (409)."""
        refuse_strangers(principal, partner_id)
        new = NewStore(body.store_id, body.name, body.time_zone, place=body.place())

        async def work(transaction: Transaction) -> Answer:
            return Answer(
                201, StoreAnswer.of((await register_store(transaction, partner_id, new, principal.client_id)).store)
            )

        return await idempotent(database, principal, key, body, work)

    @router.post("/stores:batch", status_code=201, response_model=StoresAnswer, responses=_WRITE_PROBLEMS)
    async def add_stores(partner_id: CodeInPath, body: StoresBody, principal: Writer, key: IdempotencyKey) -> Response:
        """Register many stores with their tills in one transaction; one outcome a store, in the order of the request.

        The keys of the new tills stand in the answer. A store that is there already stays as it is, with its tills.
        """
        refuse_strangers(principal, partner_id)
        till_keys = {(store.store_id, till.till_id): new_till_key() for store in body.stores for till in store.tills}
        new = [_new_store(store, till_keys) for store in body.stores]

        async def work(transaction: Transaction) -> Answer:
            outcomes = await register_stores(transaction, partner_id, new, principal.client_id)
            stores = [
                _outcome(store, outcome, till_keys, shown_once) for store, outcome in zip(new, outcomes, strict=True)
            ]
            return Answer(201, StoresAnswer(partner_id=partner_id, stores=stores))

        return shown_once.open_stores(await idempotent(database, principal, key, body, work))

    return router


def tills_router(database: Database, shown_once: ShownOnce) -> APIRouter:
    """Register tills one by one."""
    router = APIRouter(prefix="/v1/partners/{partner_id}/stores/{store_id}", tags=["tills"])

    @router.post("/tills", status_code=201, response_model=TillAnswer, responses=_WRITE_PROBLEMS)
    async def add_till(
        partner_id: CodeInPath, store_id: CodeInPath, body: TillBody, principal: Writer, key: IdempotencyKey
    ) -> Response:
        """Register a till. Its key stands in this answer and nowhere else: who lost it has it rotated."""
        refuse_strangers(principal, partner_id)
        till_key = new_till_key()
        new = NewTill(body.till_id, body.key_scheme, till_key_sha256(till_key))

        async def work(transaction: Transaction) -> Answer:
            till = await register_till(transaction, partner_id, store_id, new, principal.client_id)
            answer = TillAnswer(
                partner_id=partner_id,
                store_id=store_id,
                till_id=till.till_id,
                key_scheme=till.key_scheme,
                version=till.version,
                till_key=shown_once.seal_till_key(partner_id, store_id, till.till_id, till_key),
            )
            return Answer(201, answer)

        return shown_once.open_till(await idempotent(database, principal, key, body, work))

    return router


def _new_store(body: StoreWithTillsBody, till_keys: dict[tuple[str, str], str]) -> NewStore:
    return NewStore(
        store_id=body.store_id,
        name=body.name,
        time_zone=body.time_zone,
        place=body.place(),
        tills=[
            NewTill(till.till_id, till.key_scheme, till_key_sha256(till_keys[body.store_id, till.till_id]))
            for till in body.tills
        ],
    )


def _outcome(
    new: NewStore,
    registered: RegisteredStore | None,
    till_keys: dict[tuple[str, str], str],
    shown_once: ShownOnce,
) -> StoreOutcome:
    if registered is None:
        return StoreOutcome(store_id=new.store_id, outcome="existed", tills=[])
    tills = [
        TillKey(
            till_id=till.till_id,
            till_key=shown_once.seal_till_key(
                till.partner_id, till.store_id, till.till_id, till_keys[till.store_id, till.till_id]
            ),
        )
        for till in registered.tills
    ]
    return StoreOutcome(store_id=new.store_id, outcome="registered", tills=tills)


def refuse_strangers(principal: Principal, partner_id: str) -> None:
    """Raise 404 for a client that is bound to another partner."""
    if not principal.sees(partner_id):
        raise not_found("partner")
