"""What a person newly wrote, out of mails as Gmail, Outlook, Apple Mail and phones make them."""

import pytest

from cadenza.understanding.service import extract, is_forward

MAILS = {
    "gmail en, wrapped": (
        (
            "Hi Tom,\n\nsounds good.\n\nBest regards,\nAnn Lee\nHead of Sales | Acme GmbH\n+49 30 1234567\n\n"
            "On Mon, Nov 23, 2026 at 9:14 AM Tom Berg <tom@x.example>\nwrote:\n\n> Hello Ann\n> can we talk?\n"
        ),
        "Hi Tom,\n\nsounds good.",
    ),
    "outlook de": (
        (
            "Hallo,\n\nnein danke.\n\nViele Grüße\nJens Meier\n\n________________________________\nVon: Tom Berg <tom@x.example>\n"
            "Gesendet: Montag, 23. November 2026 09:14\nAn: Jens\nBetreff: Frage\n\nHallo Jens"
        ),
        "Hallo,\n\nnein danke.",
    ),
    "outlook it": (
        "Va bene.\n\nDa: Tom <tom@x.example>\nInviato: lunedì 23 novembre 2026 09:14\nA: Anna\nOggetto: domanda\n\nciao",
        "Va bene.",
    ),
    "outlook zh": (
        "可以，谢谢。\n\n发件人: Tom <tom@x.example>\n发送时间: 2026年11月23日 9:14\n收件人: 王\n主题: 问题\n\n您好",
        "可以，谢谢。",
    ),
    "original message en": (
        "Yes.\n\n-----Original Message-----\nFrom: Tom\nSent: Monday\nTo: Ann\n\nHello",
        "Yes.",
    ),
    "gmail fr": (
        "D'accord.\n\nLe lun. 23 nov. 2026 à 09:14, Tom <tom@x.example> a écrit :\n\n> Bonjour",
        "D'accord.",
    ),
    "outlook fr": (
        "Voici.\n\nDe : Tom\nEnvoyé : lundi\nÀ : Ann\nObjet : question\n\nBonjour",
        "Voici.",
    ),
    "gmail ja": (
        "木曜15時でお願いします。\n\n2026年11月23日(月) 9:14 Tom <tom@x.example>:\n\n> こんにちは",
        "木曜15時でお願いします。",
    ),
    "gmail ko": (
        "네, 좋습니다.\n\n2026년 11월 23일 (월) 오전 9:14, Tom <tom@x.example>님이 작성:\n> 안녕하세요",
        "네, 좋습니다.",
    ),
    "gmail ru without marks": (
        "В среду? Да.\n\nС уважением,\nИван\n\nпн, 23 нояб. 2026 г. в 09:14, Tom <tom@x.example>:\nпривет",
        "В среду? Да.",
    ),
    "gmail pt": (
        "Pode ser.\n\nEm seg., 23 de nov. de 2026 às 09:14, Tom <tom@x.example> escreveu:\n> Olá",
        "Pode ser.",
    ),
    "gmail ar": (
        "نعم\n\nفي الاثنين، 23 نوفمبر 2026 في 9:14 ص تمت كتابة ما يلي بواسطة Tom <tom@x.example>:\n\n> مرحبا",
        "نعم",
    ),
    "iphone nl": (
        "Hallo, klingt goed.\n\nVerstuurd vanaf mijn iPhone\n\n> Op 23 nov. 2026 om 09:14 heeft Tom <tom@x.example> geschreven:\n>\n> bla",
        "Hallo, klingt goed.",
    ),
    "answers between quotes es": (
        "> ¿Cuántos usuarios tienen?\nUnos 40.\n\n> ¿Quién decide?\nMi jefa, Laura.\n\nSaludos,\nAna",
        "Unos 40.\n\nMi jefa, Laura.",
    ),
    "html with quote and preheader": (
        (
            "<div style='display:none'>secret preheader</div><p>No thanks</p><div class='gmail_quote'>"
            "<div class='gmail_attr'>On 1 Jan 2026 Tom wrote:</div><blockquote class='gmail_quote'>old</blockquote></div>"
        ),
        "No thanks",
    ),
    "html answer after a quote": (
        "<blockquote type='cite'>How many?</blockquote><p>About forty.</p>",
        "About forty.",
    ),
    "legal footer": (
        "Sure.\n\nThis email is confidential and intended only for the addressee.\nAcme Ltd",
        "Sure.",
    ),
    "closing on the same line": ("Yes please. Best, Tom", "Yes please."),
    "thanks as closing": ("Can you send it?\n\nThanks,\nBob", "Can you send it?"),
    "thanks before a signature": (
        "Not for us.\n\nMany thanks,\n--\nAnn Lee\nHead of Operations",
        "Not for us.",
    ),
    "name and job on a line": ("Not for us.\n\n\nAnn Lee | Head of Operations | Acme", "Not for us."),
    "name at the head of a block": ("Not for us.\n\nAnn Lee\nHead of Operations\nAcme", "Not for us."),
    "thanks as message": ("Thanks!", "Thanks!"),
    "best is no closing here": ("Best would be Tuesday at 10", "Best would be Tuesday at 10"),
    "external banner": (
        "CAUTION: This email originated from outside of the organization.\n\nNot for us.",
        "Not for us.",
    ),
}


@pytest.mark.must_not("M8")
@pytest.mark.parametrize("name", MAILS)
def test_new_text_is_what_the_person_wrote(name: str) -> None:
    body, expected = MAILS[name]
    assert extract(body, "Ann Lee").text == expected


@pytest.mark.parametrize("body", ["", "\n\n", "> only quoted\n> text", "<p></p>"])
def test_nothing_written_is_null(body: str) -> None:
    assert extract(body).text is None


def test_signature_and_history_are_kept_apart() -> None:
    new = extract(MAILS["gmail en, wrapped"][0], "Ann Lee")
    assert "Head of Sales" in new.signature
    assert "can we talk?" in new.history


def test_bare_name_of_the_sender_is_signature() -> None:
    assert extract("Not for us, sorry.\n\nAnn", "Ann Lee").text == "Not for us, sorry."


def test_scripts_and_styles_are_no_text() -> None:
    new = extract(
        "<html><head><style>p{}</style></head><body><script>alert(1)</script><p>Hello</p></body></html>"
    )
    assert new.text == "Hello"


@pytest.mark.parametrize("depth", [500, 1_000])
def test_deep_markup_is_read(depth: int) -> None:
    assert extract("<div>" * depth + "deep" + "</div>" * depth).text == "deep"


@pytest.mark.parametrize(
    ("subject", "body", "forwarded"),
    [
        ("Fwd: offer", "see below", True),
        ("WG: Angebot", "siehe unten", True),
        ("Re: offer", "---------- Forwarded message ----------\nFrom: a", True),
        ("Re: forwarding invoices", "Do you support forwarding?", False),
    ],
)
def test_forwards(subject: str, body: str, *, forwarded: bool) -> None:
    assert is_forward(subject, body) is forwarded
