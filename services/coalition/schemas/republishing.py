"""What HTTP says of telling the present state again."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.coalition.use_cases.republish import EVENTS_PER_PAGE_MAX, Republished
from shared.web import Body
from shared.web.paging import CURSOR_LENGTH_MAX, encode_cursor


class RepublishBody(Body):
    """Which page to tell again. The first has no ``cursor``; each next one has the last answer's."""

    cursor: str | None = Field(
        default=None, max_length=CURSOR_LENGTH_MAX, description="next_cursor of the page before."
    )
    events_max: int = Field(default=EVENTS_PER_PAGE_MAX, ge=1, le=EVENTS_PER_PAGE_MAX)


class RepublishedAnswer(BaseModel):
    """What a page told."""

    model_config = ConfigDict(frozen=True)

    events: int
    next_cursor: str | None = Field(description="Send it as cursor for the next page; null: all was told.")

    @classmethod
    def of(cls, page: Republished) -> Self:
        """The answer for a page."""
        return cls(events=page.events, next_cursor=None if page.last is None else encode_cursor(page.last))
