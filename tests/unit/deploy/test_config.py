from pathlib import Path

import pytest

from deploy.local.config import StackConfig
from deploy.local.errors import StackError


def test_without_settings_the_stack_is_below_the_current_folder_on_the_known_ports() -> None:
    config = StackConfig.from_environment({})
    assert config.state_dir == Path.cwd() / ".tessera"
    assert (config.ports.postgres, config.ports.kafka, config.ports.kafka_controller) == (15432, 19092, 19093)
    assert config.ports.service("members", is_worker=False) == 8001
    assert config.ports.service("accrual", is_worker=True) == 8103


def test_the_offset_shifts_every_port() -> None:
    ports = StackConfig.from_environment({"TESSERA_PORT_OFFSET": "1000"}).ports
    assert (ports.postgres, ports.kafka, ports.kafka_controller, ports.smtp) == (16432, 20092, 20093, 9025)
    assert ports.service("fraud", is_worker=True, instance=2) == 9115


@pytest.mark.parametrize("offset", ["-1", "many", "40001", "1.5"])
def test_an_offset_that_is_no_number_of_ports_is_refused(offset: str) -> None:
    with pytest.raises(StackError, match="TESSERA_PORT_OFFSET"):
        StackConfig.from_environment({"TESSERA_PORT_OFFSET": offset})


def test_services_are_told_settings_but_neither_passwords_nor_the_owners_url() -> None:
    config = StackConfig.from_environment(
        {
            "TESSERA_CURRENCY": "EUR",
            "TESSERA_PASSWORD_FRAUD": "x",
            "TESSERA_POSTGRES_PASSWORD": "x",
            "TESSERA_DATABASE_URL": "postgresql://owner:x@host/tessera",
            "HOME": "/home/somebody",
        }
    )
    assert config.service_environment == {"TESSERA_CURRENCY": "EUR"}
    assert config.database_url == "postgresql://owner:x@host/tessera"
