"""What HTTP says of the audit log."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from services.coalition.domain.audit import AuditEntry
from services.coalition.schemas.fields import AnswerModel


class AuditEntryAnswer(AnswerModel):
    """One administrative act. ``before`` is null where something was made, ``after`` where it is gone."""

    entry_id: int = Field(description="Rises with time.")
    at: datetime
    author: str = Field(description="Who did it: a client, a till, or a person.")
    action: str = Field(examples=["api_client.revoked"])
    subject: str = Field(description="The id that the subject's events bear.")
    partner_id: str | None = Field(description="Whose it is; null for the programme's own.")
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    why: str | None
    request_id: str | None = Field(description="X-Request-Id of the request that did it.")

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        """The answer for an entry."""
        act = entry.act
        return cls(
            entry_id=entry.entry_id,
            at=entry.at,
            author=act.author,
            action=act.action,
            subject=act.subject,
            partner_id=act.partner_id,
            before=None if act.before is None else dict(act.before),
            after=None if act.after is None else dict(act.after),
            why=act.why,
            request_id=entry.request_id,
        )
