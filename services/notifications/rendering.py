"""Templates become text: sandboxed, strict about what is missing, HTML escaped.

A published version of a template never changes: a message names the version that it was opened with. Templates are read
once, at start, so that a missing or broken one stops the service and not a mail.
"""

from functools import partial
from pathlib import Path
from typing import cast

from jinja2 import FileSystemLoader, StrictUndefined, Template, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notifications.domain.codes import CodeToRead
from services.notifications.domain.digest import PointsDigest, format_points
from services.notifications.domain.mail import MessageText
from services.notifications.domain.news import Fact, PointsNews
from services.notifications.domain.pin_notices import PinChangeKind
from shared.point_types import ONE_TYPE, PointTypes

LANGUAGE_DEFAULT = "en"
TEMPLATES_FOLDER = Path(__file__).parent / "templates"

_PARTS = ("subject.txt", "body.txt", "body.html")


class UnknownTemplateError(LookupError):
    """A message names a template version that this release does not have."""


class Templates:
    """All versions of all templates, in all their languages."""

    def __init__(self, folder: Path = TEMPLATES_FOLDER, types: PointTypes = ONE_TYPE) -> None:
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        environment.filters["points"] = partial(format_points, unit=types.unit_of(types.own))
        environment.filters["amount"] = partial(amount_of, types)
        environment.filters["words"] = words_of
        self._languages: dict[tuple[str, int], dict[str, tuple[Template, Template, Template]]] = {}
        for subject in sorted(folder.glob("*/*/*/subject.txt")):
            name, version, language = subject.parent.relative_to(folder).parts
            parts = tuple(environment.get_template(f"{name}/{version}/{language}/{part}") for part in _PARTS)
            self._languages.setdefault((name, int(version)), {})[language] = cast(
                "tuple[Template, Template, Template]", parts
            )

    def render_digest(
        self, template: str, version: int, language: str | None, given_name: str, digest: PointsDigest
    ) -> MessageText:
        """The digest in the member's language, else in its main language, else in English.

        Raises:
            UnknownTemplateError: no such template, or not in this version.
        """
        return self._render(template, version, language, {"digest": digest, "given_name": given_name})

    def render_news(
        self, template: str, version: int, language: str | None, given_name: str, news: PointsNews
    ) -> MessageText:
        """News, in the same choice of languages.

        Raises:
            UnknownTemplateError: no such template, or not in this version.
        """
        return self._render(template, version, language, {"news": news, "given_name": given_name})

    def render_code(
        self, template: str, version: int, language: str | None, given_name: str, code: CodeToRead
    ) -> MessageText:
        """A one-time code, in the same choice of languages.

        Raises:
            UnknownTemplateError: no such template, or not in this version.
        """
        return self._render(template, version, language, {"code": code, "given_name": given_name})

    def render_pin_notice(
        self, template: str, version: int, language: str | None, given_name: str, change: PinChangeKind
    ) -> MessageText:
        """What happened to a PIN, in the same choice of languages.

        Raises:
            UnknownTemplateError: no such template, or not in this version.
        """
        return self._render(template, version, language, {"change": change, "given_name": given_name})

    def _render(self, template: str, version: int, language: str | None, facts: dict[str, object]) -> MessageText:
        languages = self._languages.get((template, version))
        if languages is None:
            raise UnknownTemplateError(f"template {template} has no version {version}")
        chosen = choose_language(language, languages)
        subject, text, html = languages[chosen]
        return MessageText(
            language=chosen,
            subject=" ".join(subject.render(facts).split()),
            text=text.render(facts),
            html=html.render(facts),
        )


def amount_of(types: PointTypes, line: Fact | CodeToRead, one: str, many: str) -> str:
    """Points of a line as people read them: the programme's own by the language's words, others by their code."""
    amount = types.unit_of(line.point_type or types.own).amount(line.points)
    return f"{amount} {line.point_type or (one if amount == '1' else many)}"


def words_of(code: str) -> str:
    """A code of the programme's as people read it: ``profile-filled`` is profile filled."""
    return code.replace("-", " ").replace("_", " ")


def choose_language(wanted: str | None, available: dict[str, tuple[Template, Template, Template]]) -> str:
    """``es-MX`` gets ``es-MX`` where there is one, else ``es``, else English."""
    if wanted is not None:
        tag = wanted.replace("_", "-")
        for candidate in (tag, tag.split("-")[0].lower()):
            if candidate in available:
                return candidate
    return LANGUAGE_DEFAULT
