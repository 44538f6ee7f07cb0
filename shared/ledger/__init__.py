"""The points ledger, a shared kernel: commands in, transfers, lots, holds and balances out. See README.md."""

from shared.ledger.absorbing import MergedPoints
from shared.ledger.aliases import find_survivors
from shared.ledger.balances import (
    Owed,
    StatementLine,
    Usable,
    load_balances,
    load_credited_since,
    load_owed,
    load_statement,
    load_usable,
)
from shared.ledger.book import LedgerBrokenError
from shared.ledger.chain import Block
from shared.ledger.chain_verification import Chain, Head
from shared.ledger.commands import (
    Capture,
    ClawBack,
    ClawBackPolicy,
    Command,
    Earn,
    EarnPending,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
)
from shared.ledger.conditions import Basket, Funding, Limits, store_name
from shared.ledger.corrections import AdjustDown, AdjustUp, Expire, Refund, RefundOwed, Reinstate, WriteOff
from shared.ledger.findings import Finding
from shared.ledger.foreseeing import foresee
from shared.ledger.forgiving import Forgiving
from shared.ledger.gifts import Give
from shared.ledger.hold_time import HeldSince
from shared.ledger.merging import MergedElsewhereError, merge
from shared.ledger.outcomes import FundedPoints, LimitedPoints, Outcome, Posted, Refused
from shared.ledger.planning import Plan, plan
from shared.ledger.posted_to import find_posted_to, save_posted_to
from shared.ledger.posting import COMMANDS_MAX, TooManyCommandsError, is_hold_taken, post, post_together, posting
from shared.ledger.purses import Purse, lock_accounts, lock_purses
from shared.ledger.records import Balances
from shared.ledger.reserving import Reserved, reserve_free
from shared.ledger.sealing import Sealer
from shared.ledger.slice_checking import CheckedSlice, SliceBrokenError, check_slice
from shared.ledger.slices import export_slice
from shared.ledger.spending import HoldExistsError
from shared.ledger.taking_free import take_free
from shared.ledger.terms import LotTerms
from shared.ledger.verification import Verification, verify
from shared.ledger.versions import SUPPORTED_VERSIONS, UnsupportedLedgerError, check_version

__all__ = [
    "COMMANDS_MAX",
    "SUPPORTED_VERSIONS",
    "AdjustDown",
    "AdjustUp",
    "Balances",
    "Basket",
    "Block",
    "Capture",
    "Chain",
    "CheckedSlice",
    "ClawBack",
    "ClawBackPolicy",
    "Command",
    "Earn",
    "EarnPending",
    "Expire",
    "Finding",
    "Forgiving",
    "FundedPoints",
    "Funding",
    "Give",
    "Head",
    "HeldSince",
    "HoldExistsError",
    "LedgerBrokenError",
    "LimitedPoints",
    "Limits",
    "LotTerms",
    "MergedElsewhereError",
    "MergedPoints",
    "Outcome",
    "Owed",
    "Plan",
    "Posted",
    "Purse",
    "Refund",
    "RefundOwed",
    "Refused",
    "Reinstate",
    "Release",
    "Reserve",
    "Reserved",
    "Sealer",
    "SliceBrokenError",
    "SpendLate",
    "StatementLine",
    "Suspend",
    "TooManyCommandsError",
    "UnsupportedLedgerError",
    "Usable",
    "Verification",
    "Void",
    "WriteOff",
    "check_slice",
    "check_version",
    "export_slice",
    "find_posted_to",
    "find_survivors",
    "foresee",
    "is_hold_taken",
    "load_balances",
    "load_credited_since",
    "load_owed",
    "load_statement",
    "load_usable",
    "lock_accounts",
    "lock_purses",
    "merge",
    "plan",
    "post",
    "post_together",
    "posting",
    "reserve_free",
    "save_posted_to",
    "store_name",
    "take_free",
    "verify",
]
