import socket

import pytest

from deploy.local import ports as picking
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


def test_no_service_is_to_listen_where_a_server_of_the_same_stack_will(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking, "_TEST_PORTS", range(25_400, 25_420))
    monkeypatch.setattr(picking, "_TEST_OFFSETS", (17_400, 12_000))

    assert {Ports.picked().offset for _ in range(10)} == {12_000}
