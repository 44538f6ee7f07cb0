"""Keeps a stack's processes running: a child that ends by itself is reported and started again."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.local.children import Child
from deploy.local.errors import StackError
from deploy.local.progress import Reporter

RESTART_SECONDS_MIN = 0.2
RESTART_SECONDS_MAX = 5.0
RESTARTS_MAX = 10
RESTART_WINDOW_SECONDS = 60.0
POLL_SECONDS = 0.05


@dataclass(slots=True)
class Supervised:
    """A process that should be running. ``restart`` starts it anew, and is called only when its pid is gone."""

    label: str
    child: Child
    restart: Callable[[], Child]
    crashed_at_seconds: deque[float] = field(default_factory=deque)
    restart_at_seconds: float | None = None
    has_failed: bool = False
    was_ready: bool = False


class Supervisor:
    """Watches processes in a thread of its own.

    Everything that starts or stops a process holds ``lock``, so that nobody restarts what another is stopping.
    """

    def __init__(self, reporter: Reporter) -> None:
        self.lock = threading.RLock()
        self.failed = threading.Event()
        self._reporter = reporter
        self._watched: dict[str, Supervised] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer: from here on nothing is restarted. Returns when the thread is done."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def watch(self, supervised: Supervised) -> None:
        """Keep this process running from now on."""
        with self.lock:
            self._watched[supervised.label] = supervised

    def forget(self, label: str) -> None:
        """Leave this process alone from now on."""
        with self.lock:
            self._watched.pop(label, None)

    def restart_soon(self, supervised: Supervised) -> None:
        """Restart a process that is about to be ended on purpose; this is not counted as a crash."""
        with self.lock:
            supervised.restart_at_seconds = time.monotonic() + RESTART_SECONDS_MIN

    def _watch(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            with self.lock:
                for supervised in list(self._watched.values()):
                    if not self._stopped.is_set():
                        self._look_at(supervised)

    def _look_at(self, supervised: Supervised) -> None:
        if supervised.has_failed or supervised.child.is_running():
            return
        now = time.monotonic()
        if supervised.restart_at_seconds is None:
            self._note_crash(supervised, now)
        elif now >= supervised.restart_at_seconds:
            supervised.restart_at_seconds = None
            try:
                supervised.child = supervised.restart()
            except StackError as error:
                self._reporter.say(str(error))
                self._note_crash(supervised, now)

    def _note_crash(self, supervised: Supervised, now: float) -> None:
        wait_seconds = wait_after_crash(supervised.crashed_at_seconds, now)
        ended = f"{supervised.label} {describe_end(supervised.child)}"
        tail = f"Its last lines ({supervised.child.log}):\n{supervised.child.log_tail()}"
        if wait_seconds is None:
            supervised.has_failed = True
            self._reporter.say(f"{ended}, more than {RESTARTS_MAX} times in a minute: given up. {tail}")
            self.failed.set()
            return
        supervised.restart_at_seconds = now + wait_seconds
        self._reporter.say(f"{ended}; it starts again in {wait_seconds:.1f} s. {tail}")


def wait_after_crash(crashed_at_seconds: deque[float], now_seconds: float) -> float | None:
    """Note a crash at ``now_seconds``; answer how long to wait before the restart, or None to give up.

    0.2 s, doubling with every crash in the last minute to 5 s; None after ten restarts in a minute.
    """
    while crashed_at_seconds and crashed_at_seconds[0] <= now_seconds - RESTART_WINDOW_SECONDS:
        crashed_at_seconds.popleft()
    crashed_at_seconds.append(now_seconds)
    if len(crashed_at_seconds) > RESTARTS_MAX:
        return None
    return float(min(RESTART_SECONDS_MIN * 2 ** (len(crashed_at_seconds) - 1), RESTART_SECONDS_MAX))


def describe_end(child: Child) -> str:
    """How a child ended, in words."""
    code = child.exit_code()
    if code is None:
        return "is running"
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
