"""The registry: who a member is, corrections, erasure, who looked, and telling all of it again."""

from fastapi import APIRouter

from services.members.api.accesses import accesses_router
from services.members.api.erasure import erasure_router
from services.members.api.rectification import rectification_router
from services.members.api.registry import lookup_router
from services.members.api.republishing import republishing_router
from services.members.api.subjects.parts import Parts, Subject
from services.members.domain import errors
from shared.web import VersionChangedError


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    return (
        lookup_router(parts.database, parts.master_keys),
        rectification_router(parts.database, parts.identities, parts.master_keys),
        erasure_router(parts.database, parts.identities, parts.master_keys, parts.settings.reasons),
        republishing_router(parts.database),
        accesses_router(parts.database),
    )


SUBJECT = Subject(
    _routers,
    {
        errors.MemberGoneError: (409, "member-gone", "Member gone"),
        errors.MemberMergedError: (409, "member-merged", "Member merged"),
        errors.MemberNotFoundError: (404, "not-found", "Not found"),
        errors.PersonUnknownError: (409, "person-unknown", "Person unknown"),
        VersionChangedError: (412, "version-changed", "Version changed"),
    },
)
