"""What a receipt tells of points: only what there is, in the programme's language."""

import string

import pytest

from services.redemption.domain.receipt_message import SENTENCES, ToTell, receipt_message


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            ToTell("12", spendable="340", value="3.40 EUR"),
            "You will earn 12 points. 340 points may pay up to 3.40 EUR.",
        ),
        (ToTell("1", spendable="1", value="0.01 EUR"), "You will earn 1 point. 1 point may pay 0.01 EUR."),
        (ToTell(is_unregistered=True), "Register this card: then this purchase earns, too."),
        (ToTell(saved="0.70 EUR", earned="2"), "You save 0.70 EUR. You will earn 2 points."),
        (ToTell(), None),
    ],
)
def test_it_tells_what_there_is(told: ToTell, line: str | None) -> None:
    assert receipt_message(told, "en") == line


def test_every_language_tells_the_same_facts() -> None:
    facts = [
        {
            name: [field for _, field, _, _ in string.Formatter().parse(text) if field]
            for name, text in sentences.items()
        }
        for sentences in SENTENCES.values()
    ]
    assert all(each == facts[0] for each in facts)
    assert receipt_message(ToTell("12"), "es") == "Ganará 12 puntos."
