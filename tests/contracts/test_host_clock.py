"""A host whose clock jumps by an hour expires, releases and decides nothing early or late: nobody asks it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASKING = re.compile(r"\b(?:time\.time(?:_ns)?\(|time_ns\(|utcnow\(|datetime\.now\(|date\.today\(|datetime\.today\()")
# Real time, on purpose: when a token was issued, and when a line was logged.
MAY_ASK = {"services/coalition/use_cases/issue_token.py", "shared/telemetry/logs.py"}


def test_no_effect_asks_the_hosts_clock() -> None:
    """Business time is the database's (``Transaction.now``), sealing uses the database's real time."""
    asking = {
        str(path.relative_to(ROOT))
        for folder in ("services", "shared")
        for path in (ROOT / folder).rglob("*.py")
        if ASKING.search(path.read_text(encoding="utf-8"))
    }
    assert asking == MAY_ASK
