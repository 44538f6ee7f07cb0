"""Child processes: each in its own process group, its output in a log file, ended when the supervisor vanishes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

LOG_BYTES_MAX = 33_554_432  # at its start a process with a longer log begins a new one; one old one is kept
LOG_TAIL_BYTES = 65_536
LOG_TAIL_LINES = 15
LOG_LINE_MAX = 2_000


class Rank(IntEnum):
    """Who stops before whom: the highest first."""

    POSTGRES = 0
    KAFKA = 1
    SERVICE = 2


class Guardian:
    """The supervisor's end of ``deploy.local.guard``: while it is open, children of a dead supervisor do not stay."""

    def __init__(self, log: Path, *, lock_descriptor: int | None = None) -> None:
        """Start the guard; it holds ``lock_descriptor`` open, and with it the lock, until it has ended everybody."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local.guard"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=() if lock_descriptor is None else (lock_descriptor,),
                text=True,
                cwd=Path(__file__).resolve().parents[2],
            )
        self._lock = threading.Lock()

    def add(self, pid: int, rank: Rank, stop_signal: int) -> None:
        self._tell(f"add {int(rank)} {pid} {int(stop_signal)}\n")

    def remove(self, pid: int) -> None:
        self._tell(f"remove {pid}\n")

    def close(self) -> None:
        """Let the guard end what it still knows of, and wait for it."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, message: str) -> None:
        stdin = self._process.stdin
        if stdin is None or stdin.closed:
            raise RuntimeError("the guard is closed")
        with self._lock:
            stdin.write(message)
            stdin.flush()


@dataclass(slots=True)
class Child:
    """A started child. Its pid is its process group's id."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    stop_signal: int
    guardian: Guardian
    log_start_bytes: int = 0
    _is_forgotten: bool = field(default=False, repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    def send(self, signal_number: int) -> None:
        """Send a signal to the child's whole process group; nothing if it is gone."""
        if self.is_running():
            try:
                os.killpg(self.pid, signal_number)
            except ProcessLookupError:
                return

    def stop(self, seconds_max: float) -> None:
        """Ask the child to end; by force when it takes longer than ``seconds_max``. Returns when it is gone."""
        self.send(self.stop_signal)
        try:
            self.process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """SIGKILL to the child and everything it started. Returns when the child is gone."""
        self.send(signal.SIGKILL)
        self.process.wait()
        self._forget()

    def log_tail(self) -> str:
        """The last lines that this run of the child wrote."""
        return tail_of(self.log, start_bytes=self.log_start_bytes)

    def _forget(self) -> None:
        if not self._is_forgotten:
            self._is_forgotten = True
            self.guardian.remove(self.pid)


def tail_of(log: Path, *, start_bytes: int = 0, lines: int = LOG_TAIL_LINES) -> str:
    """The last lines of a log, of those that begin at ``start_bytes``."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(start_bytes, log.stat().st_size - LOG_TAIL_BYTES))
        kept = file.read().decode(errors="replace").splitlines()[-lines:]
    return "\n".join(line if len(line) <= LOG_LINE_MAX else f"{line[:LOG_LINE_MAX]} …" for line in kept)


def start_child(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    guardian: Guardian,
    rank: Rank,
    environment: Mapping[str, str],
    stop_signal: int = signal.SIGTERM,
    cwd: Path | None = None,
) -> Child:
    """Start a program in a process group of its own, output appended to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("ab") as output:
        log_start_bytes = output.tell()
        process = subprocess.Popen(  # noqa: S603 -- our own command lines
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=dict(environment),
            cwd=cwd,
        )
    guardian.add(process.pid, rank, stop_signal)
    return Child(name, process, log, stop_signal, guardian, log_start_bytes)
