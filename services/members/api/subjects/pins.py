"""PINs by which members confirm that points may leave."""

from fastapi import APIRouter

from services.members.api.pins import pins_router
from services.members.api.subjects.parts import Parts, Subject
from services.members.domain import pins
from services.members.use_cases.prove_pin import PinProver
from shared.secret_hasher import SecretHasher


def _routers(parts: Parts) -> tuple[APIRouter, ...]:
    prover = PinProver(parts.database, parts.master_keys, SecretHasher(), parts.settings.pin_rules)
    return (pins_router(parts.database, prover, parts.master_keys),)


SUBJECT = Subject(
    _routers,
    {
        pins.CurrentPinNeededError: (409, "current-pin-needed", "Current PIN needed"),
        pins.NoPinError: (409, "no-pin", "No PIN"),
        pins.PinLockedError: (409, "pin-locked", "PIN locked"),
        pins.PinSetMeanwhileError: (409, "pin-set-meanwhile", "PIN set meanwhile"),
        pins.TrivialPinError: (422, "trivial-pin", "Trivial PIN"),
    },
)
