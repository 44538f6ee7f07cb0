"""Everything of a member for the member: what each service keeps, then what members does, in this order."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.members.domain.accesses import Access
from services.members.domain.errors import MemberNotFoundError
from services.members.domain.exports import (
    ROWS_OF_A_KIND_MAX,
    ExportBusyError,
    MemberMovedError,
    OwnData,
    ServiceItems,
)
from services.members.gateways.service_data import ServiceData
from services.members.repository import accesses, consents, exports, registry, terms
from services.members.sealing.attributes import read
from services.members.sealing.master_keys import MasterKeys
from services.members.use_cases.open_key import open_key
from services.members.use_cases.read_data_quality import read_quality
from services.members.use_cases.read_member import read_member
from shared.database import Database, Transaction

EXPORTS_AT_ONCE_MAX = 2


class MemberExporter:
    """Makes exports, a few at a time. No transaction is open while other services are asked."""

    def __init__(self, database: Database, services: Sequence[ServiceData], master_keys: MasterKeys) -> None:
        self._database = database
        self._services = services
        self._master_keys = master_keys
        self._slots = asyncio.Semaphore(EXPORTS_AT_ONCE_MAX)

    async def export(self, access: Access) -> tuple[OwnData, ServiceItems]:
        """Members' own data, and every service's items. The record of accesses has it with the same commit.

        Of members who were merged, all of them: under either id.

        Raises:
            MemberNotFoundError: there is no such member, or nobody is known behind it any more.
            ServiceUnavailableError, ExportTooLargeError, ExportBusyError, MemberMovedError: no export is given.
        """
        if self._slots.locked():
            raise ExportBusyError
        async with self._slots:
            async with self._database.transaction() as transaction:
                family = await self._family(transaction, access.member_id)
            items = {service.name: await _load(service, family) for service in self._services}
            own = await self._database.run(lambda transaction: self._own(transaction, access, family))
            return own, items

    async def _family(self, transaction: Transaction, member_id: UUID) -> list[UUID]:
        family = await exports.load_family(transaction, member_id)
        if not family or await registry.find_status(transaction, family[0]) == "erased":
            raise MemberNotFoundError("there is no such member")
        return family

    async def _own(self, transaction: Transaction, access: Access, family: Sequence[UUID]) -> OwnData:
        if await self._family(transaction, access.member_id) != family:
            raise MemberMovedError
        member_id, rows_max = family[0], ROWS_OF_A_KIND_MAX + 1
        member, person = await read_member(transaction, replace(access, member_id=member_id), self._master_keys)
        if person is None:  # nobody was shown, and yet all that is kept is
            await accesses.record_access(transaction, replace(access, member_id=member_id))
        key = await open_key(transaction, member_id, self._master_keys)
        entries = await exports.load_attribute_entries(transaction, family)
        return OwnData(
            former_ids=family[1:],
            member=member,
            enrolled_by=await exports.load_enrolled_by(transaction, member_id),
            person=person,
            pin_set_at=await exports.find_pin_set_at(transaction, member_id),
            pin_changes=await exports.load_pin_changes(transaction, family),
            identifiers=await exports.load_identifiers(transaction, family),
            identifier_changes=await exports.load_identifier_changes(transaction, family),
            status_changes=await exports.load_status_changes(transaction, family),
            consents=exports.whole(
                await consents.load_consents(transaction, member_id, only_partner=None, rows_max=rows_max)
            ),
            statements=exports.whole(
                await consents.load_history(transaction, member_id, only_partner=None, before=None, rows_max=rows_max)
            ),
            acceptances=exports.whole(await terms.load_acceptances(transaction, member_id, rows_max)),
            attributes=[(attribute, read(attribute, entry, key)) for attribute, entry in entries],
            quality=await read_quality(transaction, member_id),
            field_checks=await exports.load_field_checks(transaction, family),
            referral_codes=await exports.load_referral_codes(transaction, family),
            referrals=await exports.load_referrals(transaction, family),
            households=await exports.load_households(transaction, family),
            household_changes=await exports.load_household_changes(transaction, family),
            accesses=await exports.load_accesses(transaction, family),
            exported_at=transaction.now,
        )


async def _load(service: ServiceData, family: Sequence[UUID]) -> list[dict[str, Any]]:
    """Each service keeps what it was told under the id that it was told."""
    return [item for member_id in family for item in await service.load(member_id)]
