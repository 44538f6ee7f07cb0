"""The servers that all tests of a run share: started by whoever needs them first, stopped when the run ends.

``python -m tests.support.servers RUN_DIR CONTROLLER_PID`` is that process: it outlives the xdist worker that
started it, and ends with the run's controller, however that ends.
"""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil

from deploy.local.children import Guardian
from deploy.local.config import StackConfig
from deploy.local.ports import Ports
from deploy.local.postgres import THROWAWAY_SETTINGS
from deploy.local.progress import SilentReporter
from deploy.local.servers import Servers
from deploy.local.stack_secrets import load_or_make_secrets
from shared.database.migrate import migrate

RUN_DIR_VARIABLE = "TESSERA_TEST_RUN_DIR"
CONTROLLER_VARIABLE = "TESSERA_TEST_CONTROLLER_PID"
GIVEN_STACK_VARIABLE = "TESSERA_TEST_STACK"

TEMPLATE_DATABASE = "tessera_template"
START_SECONDS_MAX = 180.0
STOP_SECONDS_MAX = 60.0
WATCH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class TestServers:
    """Where the shared servers are. ``role_passwords`` are those of the migrated roles."""

    __test__ = False

    admin_url: str
    bootstrap_servers: str
    role_passwords: dict[str, str]
    pid: int

    def url_of(self, database: str, role: str | None = None) -> str:
        """A database's URL, as the administrator or as one of the roles."""
        parts = urlsplit(self.admin_url)
        user = f"{role}:{self.role_passwords[role]}" if role is not None else f"{parts.username}:{parts.password}"
        return f"postgresql://{user}@{parts.hostname}:{parts.port}/{database}"


def shared_servers() -> TestServers:
    """The run's servers; the first caller of a run starts them. ``TESSERA_TEST_STACK`` names a file of given ones."""
    if given := os.environ.get(GIVEN_STACK_VARIABLE):
        return _read(Path(given))
    run_dir = Path(os.environ[RUN_DIR_VARIABLE])
    description = run_dir / "servers.json"
    with (run_dir / "servers.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever has it gives up after START_SECONDS_MAX
        if not description.exists():
            _start(run_dir, description)
    return _read(description)


def stop_shared_servers(run_dir: Path) -> None:
    """End the run's servers, if anybody started them."""
    description = run_dir / "servers.json"
    if description.exists():
        process = psutil.Process(_read(description).pid)
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


def _read(description: Path) -> TestServers:
    return TestServers(**json.loads(description.read_text()))


def _start(run_dir: Path, description: Path) -> None:
    log = run_dir / "servers.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.servers", str(run_dir), os.environ[CONTROLLER_VARIABLE]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=Path(__file__).resolve().parents[2],
        )
    deadline = time.monotonic() + START_SECONDS_MAX
    while not description.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the shared test servers did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)


def main() -> None:
    """Start, describe, wait for the controller's end or a SIGTERM, stop."""
    run_dir, controller = Path(sys.argv[1]), psutil.Process(int(sys.argv[2]))
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    config = StackConfig(state_dir=run_dir / "state", ports=Ports.picked(), postgres_settings=THROWAWAY_SETTINGS)
    config.state_dir.mkdir(parents=True, exist_ok=True)
    secrets = load_or_make_secrets(config.secrets_file)
    guardian = Guardian(config.log_dir / "guard.log")
    servers = Servers(config, secrets, guardian, SilentReporter())
    servers.start()
    try:
        described = TestServers(servers.admin_url, servers.bootstrap_servers, dict(secrets.role_passwords), os.getpid())
        asyncio.run(_make_template(described))
        partial = run_dir / "servers.json.partial"
        partial.write_text(json.dumps(asdict(described)))
        partial.rename(run_dir / "servers.json")
        while not ended.wait(WATCH_SECONDS) and controller.is_running():
            pass
    finally:
        servers.kill()  # nobody will read what they hold: no clean shutdown is waited for
        guardian.close()


async def _make_template(servers: TestServers) -> None:
    connection = await asyncpg.connect(servers.admin_url)
    try:
        await connection.execute(f"create database {TEMPLATE_DATABASE}")
    finally:
        await connection.close()
    await migrate(servers.url_of(TEMPLATE_DATABASE), servers.role_passwords)


if __name__ == "__main__":
    main()
