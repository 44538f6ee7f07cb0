"""What an exchange comes to: what its returned goods gave is taken back, and what the new ones earn is given, at once.

Both are decided as a return and a purchase would be that came one after the other, the return first. And what the void
of an exchange comes to: neither was.
"""

from collections.abc import Mapping
from typing import NamedTuple

from services.accrual.domain.award_parts import TakenPart, after_return, own_points, points_kept
from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.deciding_purchases import award, rules_for
from services.accrual.domain.decisions import (
    ClawedBack,
    Decision,
    Document,
    Exchanged,
    Facts,
    GivenBack,
    Original,
    Parked,
    Refused,
)
from services.accrual.domain.evaluation import Evaluation, evaluate_what_is_kept
from services.accrual.domain.exchanged_goods import GoodsTaken, KnownExchange, goods_taken, paid_in_all
from services.accrual.domain.giving_back import give_back_parts, limited_to
from services.accrual.domain.outcomes import Usage
from services.accrual.domain.plans import plan_for
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.sellers import has_sellers
from services.accrual.domain.undoing import Undoable, claw_back, find_undoable, why_not_now
from services.accrual.domain.voids import lines_left
from shared.events.purchases import ExchangeRecorded, ReceiptVoided


def decide_exchange(document: Document, event: ExchangeRecorded, facts: Facts) -> Decision:
    """Take back what the returned goods gave, and give what the new ones earn.

    The new goods are whoever's card was shown, else the member's who had bought the others. Where the return would wait
    or be refused, nothing is moved; where only the new goods cannot earn, what came back is taken back all the same.
    ``facts.originals`` moves with it.
    """
    key = document.natural_key
    found = find_undoable(document, document.original_key, facts)
    if not isinstance(found, Undoable):
        return found
    owner_id = facts.owners.get(key, found.owner_id)
    rule_set = rules_for(document, owner_id, facts)
    if isinstance(rule_set, Parked):
        return rule_set
    before = dict(found.original.returned_thousandths)
    taken = claw_back(document, event.data.returned_lines, found, facts, "exchange")
    if isinstance(taken, Refused):
        return taken
    paid_by = paid_in_all(event.data, found.purchase, before, found.original.returned_thousandths)
    goods = goods_taken(event.data, paid_by)
    known = KnownExchange(found.key, goods.net_minor, is_new=True)
    if isinstance(rule_set, Refused):
        facts.originals[key] = Original("awarded", owner_id, exchange=known)
        return Exchanged(document, owner_id, taken, unearned=rule_set)
    room = _room(taken, goods, rule_set, facts) if owner_id == taken.owner_id else 0
    given = award(document, goods, owner_id, rule_set, facts)
    if isinstance(given, Refused):
        facts.originals[key] = Original("awarded", owner_id, exchange=known)
        return Exchanged(document, owner_id, taken, unearned=given)
    facts.originals[key].exchange = known
    return Exchanged(document, owner_id, taken, given, room=room)


def undoes_exchange(document: Document, facts: Facts) -> bool:
    """Whether what a document undoes is an exchange."""
    original = facts.originals.get(document.original_key) if document.original_key is not None else None
    return original is not None and original.exchange is not None and original.state == "awarded"


def decide_exchange_void(document: Document, event: ReceiptVoided, facts: Facts) -> Decision:
    """Undo an exchange as a whole, once: what is left of its award goes back, and what it had taken back is given
    again, as far as the goods are not back otherwise.

    What an exchange took, only the ledger knows: one that this very batch decided is waited for.
    """
    key = document.original_key
    original = facts.originals[key] if key is not None else None
    exchange = original.exchange if original is not None else None
    if key is None or original is None or exchange is None or exchange.is_new:
        return Parked(document, "purchase", "purchase_not_decided_yet")
    owner_id = original.owner_id
    refused = _why_not_voided(document, original, exchange, facts)
    if owner_id is None or refused is not None:
        return refused or Refused(document, None, "original_forgotten", "nobody knows whose it was")
    if event.data.total_minor != exchange.net_minor:
        detail = f"the exchange it voids came to {exchange.net_minor}, and not to {event.data.total_minor}"
        return Refused(document, owner_id, "other_total", detail)
    taken: ClawedBack | Refused = ClawedBack(document, owner_id, key, 0, {}, cause="void")
    if original.rule_set_version:
        undoable = find_undoable(document, key, facts)
        if not isinstance(undoable, Undoable):
            return undoable
        left = lines_left(undoable.purchase, original.returned_thousandths)
        taken = claw_back(document, left, undoable, facts, "void")
    if isinstance(taken, Refused):
        return taken
    original.voided_by = document.natural_key
    back = give_back(document, key, exchange, facts)
    return Exchanged(document, owner_id, taken, given_back=back)


class _Kept(NamedTuple):
    """A purchase as it was kept until now, and as it is kept once these goods are not back after all."""

    now: Evaluation
    then: Evaluation
    returned_then: Mapping[int, int]


def _room(taken: ClawedBack, goods: GoodsTaken, rule_set: RuleSet, facts: Facts) -> int:
    """How much room under a cap on the balance what is taken makes for what is given.

    What is clipped or forgiven makes none, and how much that is, the ledger alone knows; but where all that is given
    can be taken at once, it is there to be taken, and whoever has nothing left has room.
    """
    if not taken.may_be_left:
        return taken.points
    if not plan_for(rule_set, goods.partner_id).is_one_lot or has_sellers(goods):
        return 0
    if facts.earning is not None:
        facts.earning.move(taken.owner_id, -taken.points)
    return taken.points


def _why_not_voided(document: Document, original: Original, exchange: KnownExchange, facts: Facts) -> Refused | None:
    owner_id = original.owner_id
    if (original.voided_by or exchange.voided_by) is not None:
        return Refused(document, owner_id, "original_voided", "the receipt it undoes was voided before")
    bought = facts.originals.get(exchange.original_key)
    is_known = bought is not None and bought.owner_id is not None and exchange.net_minor is not None
    if bought is None or not is_known or (bought.purchase is None and bought.voided_by is None):
        return Refused(document, owner_id, "original_forgotten", "what it undoes is older than what is kept")
    return why_not_now(document, owner_id, facts)


def give_back(document: Document, exchange_key: bytes, exchange: KnownExchange, facts: Facts) -> GivenBack | None:
    """What goods gave that had come back in an exchange and are not back after all; None: their receipt is void."""
    bought = facts.originals[exchange.original_key]
    if bought.voided_by is not None or bought.purchase is None or bought.owner_id is None:
        return None
    kept = _kept(bought, exchange, facts)
    uncounted = max(0, bought.taken_back - max(0, bought.points - kept.then.points))
    uncounted_parts: tuple[TakenPart, ...] = ()
    if bought.parts and bought.earned_on is not None:
        uncounted_parts = give_back_parts(bought.parts, points_kept(kept.then, bought.earned_on))
        bought.parts = after_return(bought.parts, [one._replace(points=-one.points) for one in uncounted_parts])
        uncounted = own_points(uncounted_parts)
    # What was not there to be taken is not given: the exchange's own, and others' beyond what it took itself.
    points = min(uncounted - exchange.clipped, max(uncounted - exchange.clipped_in_all, exchange.points))
    points = max(0, points)
    if facts.earning is not None:
        facts.earning.give_back(bought.owner_id, bought.purchase, bought.facts, kept.now, kept.then)
        facts.earning.move(bought.owner_id, points)
    bought.taken_back -= uncounted
    bought.returned_thousandths = dict(kept.returned_then)
    return GivenBack(
        document,
        bought.owner_id,
        exchange.original_key,
        exchange_key,
        bought.purchase.occurred_at,
        points,
        uncounted,
        exchange.returned_thousandths,
        limited_to(points, uncounted_parts),
        uncounted_parts,
    )


def _kept(bought: Original, exchange: KnownExchange, facts: Facts) -> _Kept:
    purchase = bought.purchase
    if purchase is None:
        raise ValueError("what was bought is not known any more")
    returned_then = {
        line: left
        for line, quantity in bought.returned_thousandths.items()
        if (left := quantity - exchange.returned_thousandths.get(line, 0)) > 0
    }
    rule_set = facts.rule_sets.version(bought.rule_set_version)
    mapping = facts.mappings.get(purchase.partner_id)
    categories = categories_at(mapping, purchase.occurred_at, bought.mapping_version)
    now = evaluate_what_is_kept(purchase, rule_set, bought.returned_thousandths, categories, bought.facts)
    then = evaluate_what_is_kept(purchase, rule_set, returned_then, categories, bought.facts)
    # Of what is used again by rules that had given nothing, so far nothing is used.
    used_now = {one.name for one in now.usage}
    unused = tuple(Usage(one.name, 0, 0) for one in then.usage if one.name not in used_now)
    return _Kept(now._replace(usage=now.usage + unused), then, returned_then)
