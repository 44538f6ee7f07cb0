"""Declare the wording that consents are given before; by it, a purpose and a channel come to be."""

from collections.abc import Sequence

from services.members.domain.consents import ConsentText
from services.members.domain.statement_errors import ConsentTextExistsError
from services.members.repository import consent_texts
from shared.database import Transaction


async def declare_consent_text(transaction: Transaction, texts: Sequence[ConsentText], declared_by: str) -> None:
    """Write one version of a text in all its languages. It never changes.

    Raises:
        ConsentTextExistsError: it is there already in one of these languages; the transaction must be rolled back.
    """
    written = await consent_texts.insert_texts(transaction, texts, declared_by)
    if known := sorted({text.language for text in texts} - written):
        raise ConsentTextExistsError(
            f"this version is there already ({', '.join(known)}) and texts never change: declare another text_version"
        )
