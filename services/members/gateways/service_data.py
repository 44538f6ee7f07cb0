"""What another service keeps of a member, read through its API, page by page, to the end or not at all."""

import asyncio
from typing import Any
from uuid import UUID

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from services.members.domain.exports import (
    EXPORT_BYTES_MAX,
    ExportTooLargeError,
    ServiceUnavailableError,
)
from shared.web.access_tokens import AccessToken, TokenUnavailableError, authorised_get

PAGE_DEADLINE_SECONDS = 5.0
ITEMS_PER_PAGE = 100
PAGES_MAX = 5_000


class _PageAnswer(BaseModel):
    """Errors in it must not quote it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    items: list[dict[str, Any]]
    next_cursor: str | None = None


class ServiceData:
    """One service's route ``/v1/members/{id}/data``."""

    def __init__(self, name: str, url: str, client: httpx2.AsyncClient, token: AccessToken) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._client = client
        self._token = token

    async def load(self, member_id: UUID) -> list[dict[str, Any]]:
        """Everything that the service answers about this id.

        Raises:
            ServiceUnavailableError: it is away, slow, or does not let us in. The message quotes nothing it said.
            ExportTooLargeError: there is more than an export may hold.
        """
        items: list[dict[str, Any]] = []
        params, bytes_read = {"limit": str(ITEMS_PER_PAGE)}, 0
        for _ in range(PAGES_MAX):
            page, size = await self._page(member_id, params)
            items += page.items
            bytes_read += size
            if bytes_read > EXPORT_BYTES_MAX:
                break
            if page.next_cursor is None:
                return items
            params["cursor"] = page.next_cursor
        raise ExportTooLargeError(self.name)

    async def _page(self, member_id: UUID, params: dict[str, str]) -> tuple[_PageAnswer, int]:
        url = f"{self._url}/v1/members/{member_id}/data"
        try:
            async with asyncio.timeout(PAGE_DEADLINE_SECONDS):
                answer = await authorised_get(self._client, self._token, url, params)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise ServiceUnavailableError(self.name, f"did not answer ({type(error).__name__})") from None
        except TokenUnavailableError as error:
            raise ServiceUnavailableError(self.name, f"was not asked: {error}") from None
        if answer.status_code != httpx2.codes.OK:
            raise ServiceUnavailableError(self.name, f"answered {answer.status_code}")
        try:
            return _PageAnswer.model_validate_json(answer.content), len(answer.content)
        except ValidationError:
            raise ServiceUnavailableError(self.name, "answered what is no page") from None
