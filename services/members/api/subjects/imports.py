"""Imports: partners' files of members."""

from fastapi import APIRouter

from services.members.api.member_imports import import_reports_router, imports_router
from services.members.api.subjects.parts import Parts, Subject
from services.members.domain.member_import import ImportNotFoundError
from shared.web.csv_pages import AnotherFileError, ImportBusyError, UnusableHeaderError
from shared.web.csv_records import UnreadableCsvError


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    return (
        imports_router(parts.database, parts.identities, parts.importer),
        import_reports_router(parts.database, parts.importer),
    )


SUBJECT = Subject(
    _routers,
    {
        AnotherFileError: (409, "another-file", "Another file"),
        ImportBusyError: (409, "import-busy", "Import busy"),
        ImportNotFoundError: (404, "not-found", "Not found"),
        UnreadableCsvError: (422, "unusable-file", "Unusable file"),
        UnusableHeaderError: (422, "unusable-file", "Unusable file"),
    },
)
