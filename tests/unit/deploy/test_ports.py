import socket

import pytest

from deploy.local.errors import StackError
from deploy.local.ports import HOST, Ports, pick_free_ports, refuse_taken_ports


def test_taken_ports_are_all_named_with_the_variable_that_shifts_them() -> None:
    with socket.socket() as first, socket.socket() as second:
        for listener in (first, second):
            listener.bind((HOST, 0))
            listener.listen()
        taken, also_taken = first.getsockname()[1], second.getsockname()[1]
        [free] = pick_free_ports(1)
        with pytest.raises(StackError) as refusal:
            refuse_taken_ports({"PostgreSQL": taken, "Kafka": also_taken, "members": free})
    message = str(refusal.value)
    assert f"{taken}  for PostgreSQL" in message
    assert f"{also_taken}  for Kafka" in message
    assert "members" not in message
    assert "TESSERA_PORT_OFFSET" in message


def test_picked_ports_are_different() -> None:
    ports = Ports.picked()
    assert len({ports.postgres, ports.kafka, ports.kafka_controller, ports.smtp}) == 4
