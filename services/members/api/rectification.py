"""Corrections of what is known of a person. For the programme alone."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.members.api.phones import contact_phone
from services.members.domain.identities import Identities
from services.members.domain.rectification import Rectification
from services.members.schemas.rectification import RectificationBody, RectifiedAnswer
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.rectify_member import rectify_member
from shared.database import Database
from shared.web import IfMatch, Principal, etag, problems, refuse_partners, requires

Writer = Annotated[Principal, requires("members:write")]

_OF_THE_MEMBER = frozenset({"language", "region"})


def rectification_router(database: Database, identities: Identities, master_keys: MasterKeys) -> APIRouter:
    """Correct a member."""
    router = APIRouter(prefix="/v1", tags=["members"])

    @router.patch("/members/{member_id}", responses=problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 428))
    async def rectify(
        member_id: UUID, body: RectificationBody, principal: Writer, version: IfMatch, response: Response
    ) -> RectifiedAnswer:
        """Correct what is known of a member. An e-mail address that another member has is refused (409)."""
        refuse_partners(principal, "Persons are corrected")
        change = _rectification(member_id, version, body, principal, identities)
        member = await database.run(lambda transaction: rectify_member(transaction, change, master_keys))
        response.headers.update(etag(member.version))
        return RectifiedAnswer.of(member)

    return router


def _rectification(
    member_id: UUID, version: int, body: RectificationBody, principal: Principal, identities: Identities
) -> Rectification:
    sent: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "phone" in sent:
        sent["phone"] = contact_phone(identities, body.phone)
    if body.address is not None:
        sent["address"] = body.address.address()
    return Rectification(
        member_id=member_id,
        version=version,
        changed_by=principal.client_id,
        person={name: value for name, value in sent.items() if name not in _OF_THE_MEMBER},
        member={name: value for name, value in sent.items() if name in _OF_THE_MEMBER},
        email_hashes=identities.email_hashes(body.email) if "email" in sent else (),
    )
