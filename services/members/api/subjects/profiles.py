"""Profiles: typed attributes, and how good what is known of a member is."""

from fastapi import APIRouter

from services.members.api.attributes import attributes_router, member_attributes_router
from services.members.api.data_quality import member_quality_router, quality_router
from services.members.api.statement_problems import STATEMENT_PROBLEMS
from services.members.api.subjects.parts import Parts, Subject


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    return (
        attributes_router(parts.database),
        member_attributes_router(parts.database, parts.master_keys),
        quality_router(parts.database),
        member_quality_router(parts.database),
    )


SUBJECT = Subject(_routers, STATEMENT_PROBLEMS)
