"""What a receipt tells the member of points, in plain words. Pure.

The sentences are data: one text a language and a fact. Which facts there are is decided here, once for all languages.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

Language: TypeAlias = Literal["en", "es"]
Sentence: TypeAlias = Literal["save", "earn_one", "earn", "register", "spend_one", "spend"]

SENTENCES: Final[Mapping[Language, Mapping[Sentence, str]]] = {
    "en": {
        "save": "You save {value}.",
        "earn_one": "You will earn 1 point.",
        "earn": "You will earn {points} points.",
        "register": "Register this card: then this purchase earns, too.",
        "spend_one": "1 point may pay {value}.",
        "spend": "{points} points may pay up to {value}.",
    },
    "es": {
        "save": "Ahorra {value}.",
        "earn_one": "Ganará 1 punto.",
        "earn": "Ganará {points} puntos.",
        "register": "Registre esta tarjeta: así también esta compra dará puntos.",
        "spend_one": "Con 1 punto puede pagar {value}.",
        "spend": "Con {points} puntos puede pagar hasta {value}.",
    },
}


class ToTell(NamedTuple):
    """Amounts as people read them: ``earned`` and ``spendable`` are points, ``value`` and ``saved`` are money.

    None: not to be told. ``is_unregistered``: nobody knows the card yet.
    """

    earned: str | None = None
    is_unregistered: bool = False
    spendable: str | None = None
    value: str = ""
    saved: str | None = None


def receipt_message(told: ToTell, language: Language) -> str | None:
    """One line for the receipt; None where there is nothing to tell."""
    sentences = SENTENCES[language]
    line = []
    if told.saved is not None:
        line.append(sentences["save"].format(value=told.saved))
    if told.earned is not None:
        line.append(sentences["earn_one" if told.earned == "1" else "earn"].format(points=told.earned))
    if told.is_unregistered:
        line.append(sentences["register"])
    if told.spendable is not None:
        chosen = sentences["spend_one" if told.spendable == "1" else "spend"]
        line.append(chosen.format(points=told.spendable, value=told.value))
    return " ".join(line) or None
