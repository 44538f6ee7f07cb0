"""A member's statement as a CSV file, page by page."""

import csv
import io
from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from services.redemption.api.members import Reader, TypeAsked, read_statement_page
from services.redemption.programme import Programme
from services.redemption.schemas.statement import StatementLineAnswer
from shared.database import Database
from shared.point_types import Unit
from shared.web import Paging, problems

COLUMNS = ("point_type", "exponent", *StatementLineAnswer.model_fields)


class CsvAnswer(Response):
    """UTF-8, a header line first, records ended by CRLF (RFC 4180)."""

    media_type = "text/csv"


def statement_csv_router(database: Database, programme: Programme) -> APIRouter:
    """The route, on this process's database."""
    router = APIRouter(prefix="/v1/members", tags=["members"])

    @router.get("/{member_id}/statement.csv", response_class=CsvAnswer, responses=problems(400, 401, 403, 404, 422))
    async def statement_csv(
        member_id: UUID, paging: Paging, principal: Reader, point_type: TypeAsked = None
    ) -> CsvAnswer:
        """The page of the statement that ``…/statement`` gives as JSON, for the same callers, with the same cursors.

        The columns bear the names of the fields; those that are null are empty. Where older lines follow, the header
        ``Link`` with ``rel="next"`` says where, in a reference that is relative to this address.
        """
        unit = programme.point_types.unit_of(point_type or programme.point_type)
        page = await read_statement_page(database, principal, member_id, unit, paging)
        headers = {"Content-Disposition": 'attachment; filename="statement.csv"'}
        if page.next_cursor is not None:
            headers["Link"] = f'<?{_query(paging.limit, page.next_cursor, point_type)}>; rel="next"'
        return CsvAnswer(written(page.items, unit), headers=headers)

    return router


def _query(limit: int, cursor: str, point_type: str | None) -> str:
    asked = {"limit": str(limit), "cursor": cursor} | ({} if point_type is None else {"point_type": point_type})
    return urlencode(asked)


def written(lines: Sequence[StatementLineAnswer], unit: Unit) -> str:
    """The lines as records below a header, in the order given.

    No cell begins with what a spreadsheet takes for a formula, but for the minus of a number: texts begin with words
    of ours or an amount, codes and ids with a letter or a digit.
    """
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    of_type = {"point_type": unit.code, "exponent": unit.exponent}
    writer.writerows(of_type | line.model_dump(mode="json") for line in lines)
    return file.getvalue()
