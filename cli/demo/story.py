"""What the demo found, as data: the same that is shown, for scripts."""

import email
import email.policy
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Story:
    """Everything that ``tessera demo`` tells, in the order in which it is told."""

    baskets: int = 0
    receipts: int = 0
    synthetic_returns: int = 0
    synthetic_swipes: int = 0
    members: int = 0
    purchases_per_second: float = 0.0
    delay_ms_p50: float = 0.0
    delay_ms_p99: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    credited_after_registration: int = 0
    points_earned: int = 0
    points_by_partner: dict[str, int] = field(default_factory=dict)
    points_by_rule: dict[str, int] = field(default_factory=dict)
    points_clawed_back: int = 0
    spending: dict[str, int] = field(default_factory=dict)
    conversation: list[tuple[str, str]] = field(default_factory=list)
    member_id: str = ""
    balance: dict[str, Any] = field(default_factory=dict)
    statement: list[dict[str, Any]] = field(default_factory=list)
    statements: dict[str, Any] = field(default_factory=dict)
    receipt: dict[str, Any] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    held_awards: int = 0
    held_points: int = 0
    mails: int = 0
    mail: dict[str, str] = field(default_factory=dict)
    gaps: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def as_data(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def read_mails(folder: Path) -> list[Path]:
    """The messages that the local mail sink has taken, the oldest first."""
    return sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime)


def read_mail(paths: Iterable[Path], recipient: str) -> dict[str, str]:
    """The first message to this address: who, what, and its text as a person reads it."""
    for path in paths:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if recipient in str(message["To"]):
            body = message.get_body(("plain",))
            return {
                "to": str(message["To"]),
                "subject": str(message["Subject"]),
                "text": str(body.get_content()).strip() if body is not None else "",
                "file": str(path),
            }
    return {}
