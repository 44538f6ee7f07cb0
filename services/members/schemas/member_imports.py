"""What HTTP says of imports of members. Reports name lines, columns and codes: never a value."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.members.domain.member_import import Import
from services.members.schemas.registry import Language, Region
from shared.web import Body, CodeText


class ImportBody(Body):
    """A file that will be sent. ``language`` and ``region`` stand for records that say none."""

    language: Language
    region: Region | None = None
    partner_id: CodeText | None = None


class ImportAnswer(BaseModel):
    """How far a file was taken in."""

    model_config = ConfigDict(frozen=True)

    import_id: UUID
    partner_id: str | None
    state: Literal["open", "finished"]
    records_taken: int
    enrolled: int
    refused: int
    created_at: datetime
    finished_at: datetime | None
    content_url: str
    refusals_url: str

    @classmethod
    def of(cls, taken: Import) -> Self:
        """The answer for an import."""
        url = f"/v1/member-imports/{taken.import_id}"
        return cls(
            import_id=taken.import_id,
            partner_id=taken.partner_id,
            state=taken.state,
            records_taken=taken.records_taken,
            enrolled=taken.enrolled,
            refused=taken.refused,
            created_at=taken.created_at,
            finished_at=taken.finished_at,
            content_url=f"{url}/content",
            refusals_url=f"{url}/refusals",
        )
