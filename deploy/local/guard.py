"""Ends the children of a stack whose supervisor vanished. Run as ``python -m deploy.local.guard``.

The supervisor holds the other end of this program's standard input and says who its children are: ``add <rank> <pid>``
and ``remove <pid>``, a line each. When the line breaks, for whatever reason, what is still there is ended, the highest
rank first: services before the broker before the database. A pid is a process group; a reused pid is told apart by the
time its process was created.
"""

import os
import signal
import sys
from dataclasses import dataclass

import psutil

TERMINATE_SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Ward:
    """A child to be ended when its supervisor is gone."""

    rank: int
    process: psutil.Process
    stop_signal: int


def main() -> None:
    """Follow the supervisor's messages to their end, then end whom they left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wards: dict[int, Ward] = {}
    for line in sys.stdin:
        match line.split():
            case ["add", rank, pid, stop_signal]:
                try:
                    wards[int(pid)] = Ward(int(rank), psutil.Process(int(pid)), int(stop_signal))
                except psutil.NoSuchProcess:
                    continue
            case ["remove", pid]:
                wards.pop(int(pid), None)
            case _:
                print(f"not a message: {line!r}", file=sys.stderr)  # noqa: T201 -- this is the guard's log
    for rank in sorted({ward.rank for ward in wards.values()}, reverse=True):
        end_all([ward for ward in wards.values() if ward.rank == rank])


def end_all(wards: list[Ward]) -> None:
    """Ask every ward to end, wait, then end the rest by force."""
    for ward in wards:
        _send(ward, ward.stop_signal)
    _, alive = psutil.wait_procs([ward.process for ward in wards], timeout=TERMINATE_SECONDS_MAX)
    for ward in wards:
        if ward.process in alive:
            _send(ward, signal.SIGKILL)


def _send(ward: Ward, signal_number: int) -> None:
    if ward.process.is_running():  # compares creation times: a reused pid is not ours
        try:
            os.killpg(ward.process.pid, signal_number)
        except ProcessLookupError:
            return


if __name__ == "__main__":
    main()
