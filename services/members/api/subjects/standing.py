"""Standing: statuses, merges, and who may be one person."""

from fastapi import APIRouter

from services.members.api.duplicates import duplicates_router
from services.members.api.merging import merging_router
from services.members.api.statuses import statuses_router
from services.members.api.subjects.parts import Parts, Subject
from services.members.domain import errors
from services.members.domain.duplicates import DuplicateNotFoundError


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    return (
        statuses_router(parts.database, parts.settings.reasons),
        merging_router(parts.database, parts.master_keys, parts.settings.reasons),
        duplicates_router(parts.database),
    )


SUBJECT = Subject(
    _routers,
    {
        DuplicateNotFoundError: (404, "not-found", "Not found"),
        errors.MergeIntoItselfError: (422, "invalid-request", "Invalid request"),
        errors.MergeLiftsLimitError: (409, "merge-lifts-limit", "Merge lifts limit"),
        errors.StatusChangeRefusedError: (409, "status-change-refused", "Status change refused"),
        errors.UnknownReasonError: (422, "invalid-request", "Invalid request"),
    },
)
