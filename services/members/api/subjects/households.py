"""Households: who belongs together, with which rights."""

from fastapi import APIRouter

from services.members.api.household_problems import HOUSEHOLD_PROBLEMS
from services.members.api.households import household_reading_router, households_router, invitations_router
from services.members.api.subjects.parts import Parts, Subject


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    limits = parts.settings.household_limits
    return (
        households_router(parts.database, limits),
        invitations_router(parts.database, parts.seal, limits),
        household_reading_router(parts.database),
    )


SUBJECT = Subject(_routers, HOUSEHOLD_PROBLEMS)
