"""Whether what members read of their points adds up: every line of every statement, against the balance beside it."""

from collections.abc import Iterable, Sequence
from typing import Any

from cli.demo.api import Api, each

PAGE_LINES = 200
STATEMENTS_AT_ONCE = 16


async def read_statements(api: Api, member_ids: Iterable[str]) -> dict[str, Any]:
    """Read every member's statement to its first line; how many there are, and whose do not add up."""

    async def check(member_id: str) -> tuple[str, int, bool]:
        balance = await api.get("redemption", f"/v1/members/{member_id}/balance")
        lines = await _whole_statement(api, member_id)
        available = sum(one["available"] for one in balance["balances"] if one["use"] == "spend")
        return member_id, len(lines), adds_up(lines, available)

    read = await each(sorted(member_ids), check, at_once=STATEMENTS_AT_ONCE)
    return {
        "members": len(read),
        "lines": sum(lines for _, lines, _ in read),
        "disagreeing": [member_id for member_id, _, is_right in read if not is_right],
    }


def adds_up(lines: Sequence[dict[str, Any]], available: int) -> bool:
    """Whether each line, the newest first, leads from the balance before it to the one after it, from zero to now."""
    after = available
    for line in lines:
        if line["available_after"] != after:
            return False
        after -= line["points"]
    return after == 0


async def _whole_statement(api: Api, member_id: str) -> list[dict[str, Any]]:
    path = f"/v1/members/{member_id}/statement?limit={PAGE_LINES}"
    page = await api.get("redemption", path)
    lines: list[dict[str, Any]] = page["items"]
    while page["next_cursor"] is not None:
        page = await api.get("redemption", f"{path}&cursor={page['next_cursor']}")
        lines += page["items"]
    return lines
