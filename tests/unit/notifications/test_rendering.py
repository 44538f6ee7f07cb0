"""Templates and the mail made of them."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from jinja2 import TemplateError

from services.notifications.domain.digest import TEMPLATE, TEMPLATE_VERSION, PartnerTotal, PointsDigest, fold_digest
from services.notifications.domain.mail import MessageText, Sender, compose
from services.notifications.rendering import TEMPLATES_FOLDER, Templates, UnknownTemplateError

MESSAGE_ID = UUID("01936f00-0000-7000-8000-000000000001")
SENDER = Sender("The Programme", "programme@tessera.invalid")
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates()


def digest(*totals: PartnerTotal) -> PointsDigest:
    return fold_digest(totals or (PartnerTotal("Corner Grocer", 2, 1_250, 0),))


def render(templates: Templates, language: str | None, *totals: PartnerTotal, name: str = "Ada") -> MessageText:
    return templates.render_digest(TEMPLATE, TEMPLATE_VERSION, language, name, digest(*totals))


@pytest.mark.parametrize(
    ("language", "rendered_in", "subject"),
    [
        ("en", "en", "You earned 1,250 points"),
        ("en-US", "en", "You earned 1,250 points"),
        ("es-MX", "es", "Ha ganado 1,250 puntos"),
        ("es_ES", "es", "Ha ganado 1,250 puntos"),
        ("fi", "en", "You earned 1,250 points"),
        (None, "en", "You earned 1,250 points"),
    ],
)
def test_a_member_is_written_to_in_the_nearest_language(
    templates: Templates, language: str | None, rendered_in: str, subject: str
) -> None:
    text = render(templates, language)

    assert (text.language, text.subject) == (rendered_in, subject)
    assert "Ada" in text.text
    assert "Corner Grocer" in text.text
    assert "1,250" in text.html


def test_one_point_is_not_points(templates: Templates) -> None:
    text = render(templates, "en", PartnerTotal("Grocer", 1, 1, 0))

    assert text.subject == "You earned 1 point"
    assert "with 1 purchase:" in text.text


def test_names_cannot_break_out_of_the_html(templates: Templates) -> None:
    text = render(templates, "en", PartnerTotal("<script>A&B</script>", 1, 5, 0), name='"><img src=x>')

    assert "<script>" not in text.html
    assert "<img" not in text.html
    assert "&lt;script&gt;A&amp;B" in text.html
    assert "<script>A&B</script>" in text.text


def test_many_partners_are_cut_and_the_rest_is_summed(templates: Templates) -> None:
    text = render(templates, "en", *(PartnerTotal(f"Partner {number}", 1, 10, 0) for number in range(25)))

    assert text.text.count("Partner ") == 20
    assert "Other partners: 50" in text.text


def test_settled_debt_is_said(templates: Templates) -> None:
    assert "15 of them settled" in render(templates, "en", PartnerTotal("Grocer", 1, 50, 15)).text
    assert "settled" not in render(templates, "en").text


def test_every_language_has_every_part() -> None:
    for language in (folder for folder in TEMPLATES_FOLDER.glob("*/*/*") if folder.is_dir()):
        assert {part.name for part in language.iterdir()} == {"subject.txt", "body.txt", "body.html"}, language


def test_an_unknown_version_is_named(templates: Templates) -> None:
    with pytest.raises(UnknownTemplateError, match="version 99"):
        templates.render_digest(TEMPLATE, 99, "en", "Ada", digest())


def test_a_template_that_names_what_is_not_there_fails(tmp_path: Path) -> None:
    folder = tmp_path / "points_digest" / "1" / "en"
    folder.mkdir(parents=True)
    for part in ("subject.txt", "body.txt", "body.html"):
        (folder / part).write_text("{{ digest.balance }}")

    with pytest.raises(TemplateError):
        render(Templates(tmp_path), "en")


def test_a_template_cannot_reach_into_python(tmp_path: Path) -> None:
    folder = tmp_path / "points_digest" / "1" / "en"
    folder.mkdir(parents=True)
    for part in ("subject.txt", "body.txt", "body.html"):
        (folder / part).write_text("{{ digest.__class__.__mro__ }}")

    with pytest.raises(TemplateError):
        render(Templates(tmp_path), "en")


def parse(mail: bytes) -> EmailMessage:
    return email.message_from_bytes(mail, policy=email.policy.default)


def test_a_mail_has_both_bodies_and_a_stable_id(templates: Templates) -> None:
    text = render(templates, "es")
    mail = compose(text, SENDER, "ada@example.com", MESSAGE_ID, NOW)
    parsed = parse(mail)

    assert parsed["Message-ID"] == f"<{MESSAGE_ID}@tessera.invalid>"
    assert parsed["To"] == "ada@example.com"
    assert parsed["From"] == "The Programme <programme@tessera.invalid>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["List-Unsubscribe"] is None
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    plain, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().split("\r\n") == text.text.split("\n")
    assert html.get_content().split("\r\n") == text.html.split("\n")
    assert compose(text, SENDER, "ada@example.com", MESSAGE_ID, NOW) == mail


def test_a_name_cannot_add_a_header() -> None:
    text = MessageText(language="en", subject="Hello", text="x", html="<p>x</p>")

    with pytest.raises(ValueError, match="one line"):
        compose(text, SENDER, "ada@example.com\r\nBcc: eve@example.com", MESSAGE_ID, NOW)


def test_letters_beyond_ascii_arrive(templates: Templates) -> None:
    text = render(templates, "es", PartnerTotal("Panadería Ñandú", 1, 5, 3), name="José")
    mail = compose(
        replace(text, subject="Señor, ha ganado"), Sender("Programä", "p@x.invalid"), "a@b.c", MESSAGE_ID, NOW
    )
    parsed = parse(mail)
    html = parsed.get_body(("html",))

    assert mail.isascii()
    assert max(len(line) for line in mail.split(b"\r\n")) <= 100
    assert parsed["Subject"] == "Señor, ha ganado"
    assert parsed["From"].addresses[0].display_name == "Programä"
    assert html is not None
    assert "Panadería Ñandú" in html.get_content()
