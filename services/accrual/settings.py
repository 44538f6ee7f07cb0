"""Settings of accrual, beside those that every service has."""

from datetime import timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from services.accrual.domain.adjustments import DEFAULT_REASONS, AdjustmentReason, AdjustmentRules
from services.accrual.domain.content_keys import ContentKeys
from services.accrual.domain.receipt_claims import ClaimTerms
from services.accrual.domain.reinstatement import ReinstatementTerms
from services.accrual.programme import MoveRules, Programme, PublishedRules
from shared.runtime.till_settings import TillSettings

ADJUSTMENT_REASONS_MAX = 200
EXPIRY_NOTICES_MAX = 5
MoveReason = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
NoticeDays = Annotated[int, Field(ge=1, le=365)]


class AccrualSettings(TillSettings):
    """What accrual needs."""

    content_keys: SecretStr = Field(
        description="What hashes of tills' documents are keyed with: <version>:<64 hex digits> (openssl rand -hex 32), "
        "separated by commas, versions 1, 2 and so on. Keys are added at the end and never taken away: documents are "
        "told apart by them for ever.",
    )
    parked_window_days: int = Field(
        default=30, ge=1, le=3650, description="How long a receipt waits for its card to be registered, in days."
    )
    receipt_retro_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        description="How long after its time a receipt may be received and still earn, in days: tills that were "
        "offline send late.",
    )
    reader_database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL as accrual's reader (tessera_accrual_reader), whose role changes nothing and has no "
        "limits of time: backtests read as it. Without it they read as the service.",
    )
    receipt_claim_days: int = Field(
        default=14,
        ge=1,
        le=3650,
        description="How long a receipt that came without a card can be claimed for a member, in days; no longer than "
        "a receipt waits (TESSERA_PARKED_WINDOW_DAYS).",
    )
    receipt_claim_fraud_hours: int = Field(
        default=24,
        ge=0,
        le=720,
        description="How long the points of a claimed receipt wait for fraud's word at most, in hours; 0: not at all.",
    )
    purchase_batch_max: int = Field(
        default=500, ge=1, le=5_000, description="How many receipts one transaction awards at most."
    )
    ledger_hold_ms_max: int = Field(
        default=50,
        ge=1,
        le=1_000,
        description="Batches shrink while they keep ledger rows locked longer: 10 beside tills, 50 to catch up.",
    )

    expiry_notice_days: tuple[NoticeDays, ...] = Field(
        default=(30, 7),
        max_length=EXPIRY_NOTICES_MAX,
        description="How many days before points expire their member is told (PointsExpiring): a JSON list; [] tells "
        "nobody.",
    )
    adjustment_reasons: tuple[AdjustmentReason, ...] = Field(
        default=DEFAULT_REASONS,
        min_length=1,
        max_length=ADJUSTMENT_REASONS_MAX,
        description="Why people may give and take points: a JSON list of code, kind (compensation, correction, "
        "goodwill or another word for reports), basis (what lots say: compensation, gift, prize, staff, purchase) and "
        "expires_after_days. A code that was used stays with its adjustments when it is taken away here.",
    )
    receipt_move_reasons: tuple[MoveReason, ...] = Field(
        default=("wrong_card", "shared_card", "wrong_member"),
        min_length=1,
        max_length=ADJUSTMENT_REASONS_MAX,
        description="Why people may move a receipt to another member: a JSON list of codes.",
    )
    debt_age_days_max: int = Field(
        default=180,
        ge=1,
        le=3650,
        description="Debt that is older, in days, is counted in metrics: for somebody to remind, or to write off.",
    )
    reinstate_within_days: int = Field(
        default=90, ge=1, le=3650, description="Points that lapsed within so many days may be given back to a member."
    )
    reinstated_last_days: int = Field(
        default=30, ge=1, le=3650, description="How many days points last that had lapsed and were given back."
    )
    adjustment_points_max_alone: int = Field(
        default=10_000, ge=0, description="How many points one person gives or takes at once without a second one."
    )
    adjustment_file_points_max_alone: int = Field(
        default=100_000, ge=0, description="The same for all lines of a file together."
    )
    adjustment_author_day_points_max_alone: int = Field(
        default=200_000,
        ge=0,
        description="How many points one person moves on a day without a second one, over all members; files count in.",
    )
    adjustment_member_day_points_max_alone: int = Field(
        default=20_000,
        ge=0,
        description="How many points of one member are moved on a day without a second person, by whomever.",
    )

    @field_validator("adjustment_reasons")
    @classmethod
    def _names_each_code_once(cls, value: tuple[AdjustmentReason, ...]) -> tuple[AdjustmentReason, ...]:
        if len({reason.code for reason in value}) != len(value):
            raise ValueError("it must name each code once")
        return value

    @model_validator(mode="after")
    def _is_claimed_while_it_waits(self) -> Self:
        if self.receipt_claim_days > self.parked_window_days:
            raise ValueError("TESSERA_RECEIPT_CLAIM_DAYS must not exceed TESSERA_PARKED_WINDOW_DAYS")
        return self

    @field_validator("reader_database_url")
    @classmethod
    def _reader_is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None  # as compose says what is not there
        if not value.get_secret_value().startswith(("postgresql://", "postgresql+asyncpg://")):
            raise ValueError("it must begin with postgresql://")
        return value

    @property
    def receipt_claim_window(self) -> timedelta:
        """How long a receipt without a card can be claimed."""
        return timedelta(days=self.receipt_claim_days)

    @property
    def claim_terms(self) -> ClaimTerms:
        """How long a receipt can be claimed, and waits for fraud then."""
        return ClaimTerms(self.receipt_claim_window, timedelta(hours=self.receipt_claim_fraud_hours))

    @property
    def reinstatement_terms(self) -> ReinstatementTerms:
        """Which points may be given back that lapsed, and until when they last."""
        return ReinstatementTerms(self.reinstate_within_days, self.reinstated_last_days)

    @property
    def adjustment_rules(self) -> AdjustmentRules:
        """Reasons and limits of adjustments."""
        return AdjustmentRules.of(
            self.adjustment_reasons,
            self.adjustment_points_max_alone,
            self.adjustment_file_points_max_alone,
            self.adjustment_author_day_points_max_alone,
            self.adjustment_member_day_points_max_alone,
        )

    def move_rules(self, published: PublishedRules) -> MoveRules:
        """What moves of receipts are judged by."""
        reasons = frozenset(self.receipt_move_reasons)
        return MoveRules(self.programme, published, self.receipt_claim_window, reasons, self.adjustment_rules.alone)

    @field_validator("content_keys")
    @classmethod
    def _are_content_keys(cls, value: SecretStr) -> SecretStr:
        ContentKeys.parse(value.get_secret_value())
        return value

    @property
    def programme(self) -> Programme:
        """The programme's settings as the use cases want them."""
        return Programme(
            point_type=self.point_type,
            currency=self.currency,
            zone=ZoneInfo(self.time_zone),
            parked_window=timedelta(days=self.parked_window_days),
            content_keys=ContentKeys.parse(self.content_keys.get_secret_value()),
            retro_window=timedelta(days=self.receipt_retro_days),
            point_types=self.point_types,
        )
