"""Everything that is kept of a member, for the member: the right of access."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from services.members.domain.accesses import Access
from services.members.domain.exports import ExportBusyError, MemberMovedError, ServiceUnavailableError
from services.members.schemas.exports import ExportAnswer
from services.members.use_cases.export_member import MemberExporter
from shared.web import Principal, Problem, problems, refuse_partners, requires

RETRY_AFTER_SECONDS = 10

Exporter = Annotated[Principal, requires("members:export")]


def exports_router(exporter: MemberExporter) -> APIRouter:
    """Read everything at once."""
    router = APIRouter(prefix="/v1", tags=["exports"])

    @router.get("/members/{member_id}/export", responses=problems(401, 403, 404, 409, 422, 503))
    async def export(member_id: UUID, principal: Exporter) -> ExportAnswer:
        """Everything that the programme keeps of a member, over all services. For the programme's own clients.

        It is complete or not given: a service that does not answer makes it fail (503) and is named. Who asked is
        recorded, and stands in the export itself.
        """
        refuse_partners(principal, "Exports are made")
        access = Access(member_id, principal.client_id, "data_subject_request", "export")
        try:
            return ExportAnswer.of(*await exporter.export(access))
        except ServiceUnavailableError as error:
            raise _later("export-incomplete", str(error), service=error.service) from error
        except ExportBusyError as error:
            raise _later("export-busy", "Other exports are being made: ask again soon.") from error
        except MemberMovedError as error:
            detail = "The member was merged while the export was made: ask again."
            raise _later("export-incomplete", detail) from error

    return router


def _later(slug: str, detail: str, **extensions: str) -> Problem:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, slug, detail, headers=headers, extensions=extensions)
