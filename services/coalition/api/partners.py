"""Partners, stores and tills."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from services.coalition.api.shown_once import ShownOnce
from services.coalition.credentials.secrets import new_till_key
from services.coalition.domain.registry import FIRST_VERSION, NewStore, NewTill, Partner
from services.coalition.schemas import (
    PartnerAnswer,
    PartnerBody,
    StoreAnswer,
    StoreBody,
    StoreOutcome,
    StoresAnswer,
    StoresBody,
    TillAnswer,
    TillBody,
    TillKey,
)
from services.coalition.use_cases.read_partners import read_partner, read_partners, read_stores
from services.coalition.use_cases.register_partner import register_partner
from services.coalition.use_cases.register_stores import register_store, register_stores
from services.coalition.use_cases.register_till import register_till
from shared.database import Database, Transaction
from shared.web import (
    Answer,
    IdempotencyKey,
    Page,
    Paging,
    Principal,
    Problem,
    idempotent,
    not_found,
    problems,
    requires,
    till_key_sha256,
)

Writer = Annotated[Principal, requires("partners:write")]
Reader = Annotated[Principal, requires("partners:read")]

_ID = TypeAdapter(tuple[str])
_WRITE_PROBLEMS = (400, 401, 403, 404, 409, 413, 415, 422)


class PartnersApi:
    """A client that is bound to a partner sees, and may extend, that partner alone; others are not found."""

    def __init__(self, database: Database, shown_once: ShownOnce) -> None:
        self._database = database
        self._shown_once = shown_once
        self.router = APIRouter(prefix="/v1/partners", tags=["partners"])
        self._add_reads()
        self._add_writes()

    def _add_reads(self) -> None:
        add = self.router.add_api_route
        add("", self.list_partners, methods=["GET"], responses=problems(400, 401, 403, 422))
        add("/{partner_id}", self.read, methods=["GET"], responses=problems(401, 403, 404))
        add("/{partner_id}/stores", self.list_stores, methods=["GET"], responses=problems(400, 401, 403, 404, 422))

    def _add_writes(self) -> None:
        def add(path: str, route: object, answer: type) -> None:
            self.router.add_api_route(
                path,
                route,
                methods=["POST"],
                status_code=201,
                response_model=answer,
                responses=problems(*_WRITE_PROBLEMS),
            )

        add("", self.register, PartnerAnswer)
        add("/{partner_id}/stores", self.add_store, StoreAnswer)
        add("/{partner_id}/stores:batch", self.add_stores, StoresAnswer)
        add("/{partner_id}/stores/{store_id}/tills", self.add_till, TillAnswer)
