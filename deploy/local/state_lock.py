"""One stack at a time on one state folder."""

import fcntl
import os
import time
from pathlib import Path

from deploy.local.errors import StackError

# A stack whose supervisor was killed is still being ended by its guard for a moment, which holds the lock meanwhile.
WAIT_SECONDS_MAX = 90.0
POLL_SECONDS = 0.1


class StateLock:
    """A lock on a state folder, held by whoever has its descriptor open: the supervisor and its guard."""

    def __init__(self, path: Path) -> None:
        """Take the lock; a ``StackError`` where another living stack has it."""
        self._file = path.open("a+")
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not self._try():
            owner = path.read_text().strip() or "?"
            if _is_alive(owner) or time.monotonic() > deadline:
                self._file.close()
                raise StackError(
                    f"A stack is running already on {path.parent} (process {owner}).\n"
                    "Stop it first, or give this one a folder of its own: TESSERA_STATE_DIR=… "
                    "(and other ports: TESSERA_PORT_OFFSET=1000)"
                )
            time.sleep(POLL_SECONDS)
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    @property
    def descriptor(self) -> int:
        """For a child that is to hold the lock as well."""
        return self._file.fileno()

    def release(self) -> None:
        """Let go of it; it is free when every other holder has ended."""
        self._file.close()

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _is_alive(pid: str) -> bool:
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
