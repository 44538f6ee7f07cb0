"""What the registry tells of attributes that are neither personal nor free text."""

from services.members.domain.attributes import Attribute
from services.members.repository.attributes import ToldValue
from services.members.use_cases.announcements import SOURCE
from shared.database import Transaction
from shared.events.catalogue import MEMBERS
from shared.events.members import (
    AttributeData,
    AttributeDeclared,
    AttributeOfMemberData,
    MemberAttributeChanged,
)
from shared.ids import new_id
from shared.outbox import Message
from shared.telemetry.trace_context import child_traceparent, current_traceparent

DECLARED_VERSION = 1  # it never changes


def attribute_declared(transaction: Transaction, attribute: Attribute) -> Message:
    """There is such an attribute. To be called only for one that ``is_told``."""
    event = AttributeDeclared(
        id=new_id(),
        source=SOURCE,
        subject=attribute.code,
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=AttributeData.model_validate(
            {
                "code": attribute.code,
                "version": DECLARED_VERSION,
                "value_type": attribute.type,
                "choices": attribute.choices,
            }
        ),
    )
    return Message.of(event, MEMBERS.topic, attribute.code)


def attribute_changed(transaction: Transaction, value: ToldValue) -> Message:
    """What a member has under an attribute from now on; where it was said, and when, stays here."""
    subject = str(value.member_id)
    event = MemberAttributeChanged(
        id=new_id(),
        source=SOURCE,
        subject=subject,
        time=transaction.now,
        traceparent=child_traceparent(current_traceparent()),
        data=AttributeOfMemberData(member_id=value.member_id, version=value.version, code=value.code, says=value.says),
    )
    return Message.of(event, MEMBERS.topic, subject)
