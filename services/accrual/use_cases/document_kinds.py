"""What a document of each kind must have, and what it must not. Pure."""

from collections.abc import Iterator

from services.accrual.domain.settlement import is_handover
from services.accrual.schemas.documents import ReceiptBody
from shared.faults import Fault


def faults_of_kind(body: ReceiptBody) -> list[Fault]:
    """What is wrong with a document for its kind, each with its pointer."""
    faults = [*_of_kind(body), *_faults_of_privileges(body), *_faults_of_withheld(body)]
    if body.original_total_minor is not None and body.type != "correction":
        return [Fault("/original_total_minor", "only a correction says it: leave it out"), *faults]
    return faults


def _of_kind(body: ReceiptBody) -> list[Fault]:
    match body.type:
        case "purchase":
            return [
                *_without_lines(body),
                *_faults_of_purchase(body),
                *_faults_of_handover(body),
                *_faults_of_one_side(body),
            ]
        case "return":
            return [
                *_without_lines(body),
                *_faults_of_return(body),
                *_prepaid_beside(body),
                *_faults_of_one_side(body),
            ]
        case "exchange":
            return [*_without_lines(body), *_faults_of_exchange(body), *_prepaid_beside(body)]
        case "void":
            return [*_faults_of_void(body), *_prepaid_beside(body), *_returned_beside(body)]
        case "correction":
            faults = [*_without_lines(body), *_faults_of_correction(body), *_faults_of_points(body)]
            return [*faults, *_prepaid_beside(body), *_faults_of_one_side(body)]


def _without_lines(body: ReceiptBody) -> Iterator[Fault]:
    if not body.lines:
        yield Fault("/lines", f"{'an' if body.type == 'exchange' else 'a'} {body.type} has at least one line")


def _faults_of_one_side(body: ReceiptBody) -> Iterator[Fault]:
    if body.total_minor < 0:
        yield Fault("/total_minor", f"a {body.type} comes to zero or more: only an exchange may pay out")
    yield from _returned_beside(body)


def _returned_beside(body: ReceiptBody) -> Iterator[Fault]:
    if body.returned_lines is not None:
        yield Fault("/returned_lines", "only an exchange has them: a return names what comes back in its lines")


def _faults_of_purchase(body: ReceiptBody) -> Iterator[Fault]:
    if body.original is not None:
        yield Fault("/original", "a purchase undoes no receipt: say another type, or leave it out")
    yield from _faults_of_points(body)


def _faults_of_points(body: ReceiptBody) -> Iterator[Fault]:
    yield from _unnamed_redemptions(body)
    if not all(is_handover(line.settlement) for line in body.lines):
        for index, tender in enumerate(body.tenders):
            if tender.kind == "points":
                yield Fault(f"/tenders/{index}/kind", "points pay for goods with the receipt that hands them over")


def _faults_of_handover(body: ReceiptBody) -> Iterator[Fault]:
    """A receipt that names what was paid ahead hands those goods over."""
    named = body.prepaid
    if named is None:
        return
    if not any(is_handover(line.settlement) for line in body.lines):
        yield Fault("/prepaid", "only the receipt that hands goods over names those in which they were paid ahead")
    for index, key in enumerate(named):
        if key == body.key:
            yield Fault(f"/prepaid/{index}", "this is the receipt itself: name those that took money ahead for it")
        elif key in named[:index]:
            yield Fault(f"/prepaid/{index}", "this receipt stands twice")


def _prepaid_beside(body: ReceiptBody) -> Iterator[Fault]:
    if body.prepaid is not None:
        yield Fault("/prepaid", "only a purchase hands over what was paid ahead: leave it out")


def _unnamed_redemptions(body: ReceiptBody) -> Iterator[Fault]:
    for index, tender in enumerate(body.tenders):
        if tender.kind == "points" and tender.redemption_id is None:
            pointer = f"/tenders/{index}/redemption_id"
            yield Fault(pointer, "a points tender names the redemption that held its points")


def _faults_of_return(body: ReceiptBody) -> Iterator[Fault]:
    for index, line in enumerate(body.lines):
        if line.original_line_id is None:
            pointer = f"/lines/{index}/original_line_id"
            yield Fault(pointer, "a returned line names the line it was bought with")


def _faults_of_exchange(body: ReceiptBody) -> Iterator[Fault]:
    if body.original is None:
        yield Fault("/original", "an exchange names the receipt that its returned goods were bought with")
    if not body.returned_lines:
        yield Fault("/returned_lines", "an exchange has at least one returned line")
    for index, line in enumerate(body.returned_lines or ()):
        if line.original_line_id is None:
            pointer = f"/returned_lines/{index}/original_line_id"
            yield Fault(pointer, "a returned line names the line it was bought with")
    for index, line in enumerate(body.lines):
        if not is_handover(line.settlement):
            pointer = f"/lines/{index}/settlement"
            yield Fault(pointer, "goods are exchanged for goods that are handed over: post what is paid ahead apart")
    if body.total_minor >= 0:
        yield from _unnamed_redemptions(body)
    elif any(tender.kind == "points" for tender in body.tenders):
        index = next(index for index, tender in enumerate(body.tenders) if tender.kind == "points")
        yield Fault(f"/tenders/{index}/kind", "an exchange pays nothing out in points")


def _faults_of_void(body: ReceiptBody) -> Iterator[Fault]:
    if body.original is None:
        yield Fault("/original", "a void names the receipt that it undoes")
    for field in ("lines", "tenders", "coupons"):
        if getattr(body, field):
            yield Fault(f"/{field}", "a void undoes a receipt as a whole: leave it out")


def _faults_of_correction(body: ReceiptBody) -> Iterator[Fault]:
    if body.original is None:
        yield Fault("/original", "a correction names the receipt that was wrong")
    elif body.original == body.key:
        yield Fault("/original", "a correction has a key of its own, and names another document")
    if body.original_total_minor is None:
        yield Fault("/original_total_minor", "a correction repeats what the wrong receipt came to")


def _faults_of_withheld(body: ReceiptBody) -> Iterator[Fault]:
    if body.withheld is None:
        return
    if body.type != "return" or body.original is None:
        yield Fault("/withheld", "only a return that names its purchase keeps money of its refund for points")
    elif body.withheld.amount_minor > body.total_minor:
        yield Fault("/withheld/amount_minor", "no more can be kept of a refund than the goods come to")


def _faults_of_privileges(body: ReceiptBody) -> Iterator[Fault]:
    if body.privileges is None:
        return
    if body.type not in ("purchase", "exchange"):
        yield Fault("/privileges", "only a purchase or an exchange uses privileges: leave them out")
    lines = {line.line_id for line in body.lines}
    said = set()
    for index, used in enumerate(body.privileges):
        pointer = f"/privileges/{index}"
        if used.amount_minor and used.line_id is None:
            yield Fault(f"{pointer}/line_id", "an amount was taken off a line: say of which")
        if used.line_id is not None and used.line_id not in lines:
            yield Fault(f"{pointer}/line_id", "the receipt has no such line")
        if (used.privilege_id, used.line_id) in said:
            yield Fault(pointer, "this privilege stands twice at this line")
        said.add((used.privilege_id, used.line_id))
