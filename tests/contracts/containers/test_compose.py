"""docker-compose.yml against the compose specification's schema, and against what the services are told elsewhere.

No container engine runs here: this is what can be checked without one.
"""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.ports import SERVICE_PORTS
from deploy.local.services import FLEET
from shared.database.roles import SERVICES
from shared.runtime.settings import ENV_PREFIX, ServiceSettings

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = ROOT / "docker-compose.yml"
# The stack and compose say these by themselves.
SECRETS = re.compile(r"\$\{(TESSERA_\w*(?:PASSWORD|SECRET|KEY|CLIENTS)\w*)(:[^}]*)?\}")
WITHOUT_READERS = re.compile(r"_READER$|_VERSION$")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document = yaml.safe_load(COMPOSE.read_text())
    assert isinstance(document, dict)
    return document


def test_it_satisfies_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    answer = subprocess.run(
        [str(checker), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_it_runs_every_process_that_make_up_runs(compose: dict[str, Any]) -> None:
    commands = {name: service.get("command") for name, service in compose["services"].items()}
    for spec in FLEET:
        assert commands[spec.label] == [f"services.{spec.name}", "--role", spec.role]
    assert compose["services"]["postgres"]["image"] == "postgres:18"
    assert compose["services"]["kafka"]["image"] == "apache/kafka:4.1.1"


def test_every_service_waits_for_migrations_says_its_health_and_keeps_to_itself(compose: dict[str, Any]) -> None:
    for spec in FLEET:
        service = compose["services"][spec.label]
        assert service["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
        assert "/health/ready" in " ".join(service["healthcheck"]["test"])
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    for service in compose["services"].values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def test_every_service_has_its_own_role_and_no_other_password(compose: dict[str, Any]) -> None:
    for spec in FLEET:
        environment = compose["services"][spec.label]["environment"]
        url = environment["TESSERA_DATABASE_URL"]
        assert url.startswith(f"postgresql://tessera_{spec.name}:${{TESSERA_PASSWORD_{spec.name.upper()}:?")
        text = " ".join(map(str, environment.values()))
        for other in SERVICES:
            assert other == spec.name or f"TESSERA_PASSWORD_{other.upper()}" not in text


def test_no_secret_has_a_default() -> None:
    found = [(name, rest) for name, rest in SECRETS.findall(COMPOSE.read_text()) if not WITHOUT_READERS.search(name)]
    assert found
    assert [name for name, rest in found if not rest.startswith(":?")] == []


def test_prometheus_scrapes_every_process(compose: dict[str, Any]) -> None:
    configuration = yaml.safe_load((ROOT / "deploy" / "metrics" / "prometheus.yml").read_text())
    [job] = configuration["scrape_configs"]
    scraped = {target for entry in job["static_configs"] for target in entry["targets"]}
    expected = set()
    for spec in FLEET:
        port = SERVICE_PORTS[spec.name] + (100 if spec.role == "worker" else 0)
        assert compose["services"][spec.label]["environment"]["TESSERA_HTTP_PORT"] == str(port)
        expected.add(f"{spec.label}:{port}")
    assert scraped == expected


def test_every_setting_is_explained_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    explained = set(re.findall(r"^#?(TESSERA_\w+)=", example, flags=re.MULTILINE))
    assert settings_of_all_services() - explained == set()


def settings_of_all_services() -> set[str]:
    names = set()
    for service in SERVICES:
        module = importlib.import_module(f"services.{service}.settings")
        for candidate in vars(module).values():
            if isinstance(candidate, type) and issubclass(candidate, ServiceSettings):
                names |= {f"{ENV_PREFIX}{field.upper()}" for field in candidate.model_fields}
    return names


def test_the_image_holds_only_what_the_ignore_file_lets_in() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--from)(\S+)", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    assert copied == allowed
