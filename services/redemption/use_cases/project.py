"""What the registry and the coalition tell becomes what redemption knows."""

from collections.abc import Collection, Sequence
from uuid import UUID

from services.redemption.domain.leaving import Leaving, Outcome
from services.redemption.repository import categories, households, partner_funds, places, price_floors, projections
from services.redemption.repository import merges as merging
from services.redemption.use_cases.erase_members import erase_members
from services.redemption.use_cases.settle_leavings import claim_leavings, parties_of, settle_leavings
from shared.database import Transaction, retired_keys
from shared.events.coalition import CoalitionEvent, PartnerChanged, TillChanged
from shared.events.contracts import ContractPublished, ExposureChanged
from shared.events.goods import PriceFloorChanged, ProductMapped
from shared.events.members import (
    HouseholdChanged,
    IdentifierKeyRetired,
    IdentifierLinked,
    IdentifierRevoked,
    MemberErased,
    MemberEvent,
    MembersMerged,
    MemberStated,
)
from shared.events.tiers import TierData
from shared.ids import key_version_of


async def take_in_members(
    transaction: Transaction, events: Sequence[MemberEvent], point_types: Sequence[str]
) -> list[tuple[Leaving, Outcome]]:
    """Take in what the registry tells, and settle who left a household with which their points (of these types) stay:
    how, of each.

    Each leaving is settled once, whatever is told again and in whatever order.

    Raises:
        TooManyLeavingsError: the transaction must be rolled back.
    """
    leavings = await claim_leavings(transaction, events)
    await project_members(transaction, events, also_locked=parties_of(leavings))
    return await settle_leavings(transaction, leavings, point_types)


async def project_members(
    transaction: Transaction, events: Sequence[MemberEvent], *, also_locked: Collection[UUID] = ()
) -> None:
    """Take in members, identifiers and households. Idempotent, in any order: a row only moves to a higher version,
    nothing moves that of an erased member any more, and nothing brings back a hash of a key that is retired.

    ``also_locked``: members whose rows the caller needs locked to the commit, with the others in one order.
    """
    identifiers = [event.data for event in events if isinstance(event, IdentifierLinked | IdentifierRevoked)]
    erasures = [event.data for event in events if isinstance(event, MemberErased)]
    members = [event.data for event in events if isinstance(event, MemberStated)]
    merges = [event.data for event in events if isinstance(event, MembersMerged)]
    told_households = [event.data for event in events if isinstance(event, HouseholdChanged)]
    for key in [event.data for event in events if isinstance(event, IdentifierKeyRetired)]:
        await retired_keys.retire(transaction, key.key_version)
    told = {member.member_id for member in members} | {identifier.member_id for identifier in identifiers}
    told |= {member_id for merge in merges for member_id in (merge.member_id, merge.merged_member_id)}
    # Whoever links an identifier and whoever erases its member meet in the member's row.
    await projections.lock_members(transaction, told | {erasure.member_id for erasure in erasures} | {*also_locked})
    if members:
        await projections.save_members(transaction, members)
    for merge in merges:
        await merging.save_merge(transaction, merge)
    if erasures:
        await erase_members(transaction, erasures)
    if identifiers:
        erased = await projections.find_erased(transaction, {identifier.member_id for identifier in identifiers})
        retired = await retired_keys.load(transaction)
        await projections.save_identifiers(
            transaction,
            [
                identifier
                for identifier in identifiers
                if identifier.member_id not in erased and key_version_of(identifier.identifier_hash) not in retired
            ],
        )
    if told_households:
        await households.save_households(transaction, told_households)


async def project_tiers(transaction: Transaction, tiers: Sequence[TierData]) -> None:
    """Take in what accrual tells of tiers. Idempotent, in any order, also before the registry has told of a member."""
    await projections.lock_members(transaction, {tier.member_id for tier in tiers})
    await projections.save_tiers(transaction, tiers)


async def project_coalition(transaction: Transaction, events: Sequence[CoalitionEvent]) -> None:
    """Take in partners, tills, categories, price floors, contracts and exposures. Idempotent, in any order: rows only
    move to higher versions.
    """
    partners = [event for event in events if isinstance(event, PartnerChanged)]
    tills = [event.data for event in events if isinstance(event, TillChanged)]
    if partners:
        await places.save_partners(transaction, partners)
    if tills:
        await places.save_tills(transaction, tills)
    if mapped := [event for event in events if isinstance(event, ProductMapped)]:
        await categories.save(transaction, mapped)
    if floors := [event.data for event in events if isinstance(event, PriceFloorChanged)]:
        await price_floors.save(transaction, floors)
    contracts = [event.data for event in events if isinstance(event, ContractPublished)]
    exposures = [event.data for event in events if isinstance(event, ExposureChanged)]
    if contracts:
        await partner_funds.save_contracts(transaction, contracts)
    if exposures:
        await partner_funds.save_exposures(transaction, exposures)
