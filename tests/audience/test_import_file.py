"""A contact file in any common shape is read; whatever is wrong in it is told by row, line and column."""

import csv
import io
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.audience.columns import guess
from cadenza.audience.import_file import parse_file, preview
from cadenza.audience.places import _country_codes, country_of_zone, zone_of
from cadenza.core.errors import CadenzaError
from cadenza.timing.service import is_zone


def table(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def first(*lines: str) -> dict[str, Any]:
    parsed = parse_file(table(*lines), {})
    assert parsed.rejected == []
    return preview(parsed.people)[0]


GERMAN = "E-Mail;Vorname;Nachname\njörg@müller.example;Jörg;Müller\nß@x.example;Zoë;Ümit\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (GERMAN.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + GERMAN.encode(), "utf-8"),
        (GERMAN.encode("utf-16"), "utf-16"),
        (GERMAN.encode("utf-16-le"), "utf-16-le"),
        (GERMAN.encode("utf-16-be"), "utf-16-be"),
        (GERMAN.encode("utf-32"), "utf-32"),
        (GERMAN.encode("cp1252"), "cp1252"),
        (GERMAN.encode("latin-1") + b"a@x.example;\x81\x8dOskar;B\n", "iso-8859-1"),
    ],
)
def test_encodings(data: bytes, encoding: str) -> None:
    parsed = parse_file(data, {})
    assert (parsed.encoding, parsed.delimiter) == (encoding, ";")
    assert list(parsed.mapping) == ["E-Mail", "Vorname", "Nachname"]
    if encoding != "iso-8859-1":
        assert parsed.rejected[0]["reason"].startswith(
            "'jörg@müller.example'"
        )  # letters before the @ outside ASCII


@pytest.mark.parametrize("name", ["田中", "タナカ", "スズキ太郎"])
def test_japanese_in_shift_jis(name: str) -> None:
    parsed = parse_file(f"email,first name,会社\na@x.example,{name},株式会社例\n".encode("shift_jis"), {})
    assert parsed.encoding == "shift_jis"
    assert parsed.people[0].first_name == name


@pytest.mark.parametrize(
    "text",
    ["Müller", "Élodie Lefèvre", "Ærø Ålborg", "“quoted” – dash…", "Ñandú ¿qué?", "naïve café", "Größe"],
)
def test_western_texts_are_not_taken_for_japanese(text: str) -> None:
    parsed = parse_file(f"email,first name\na@x.example,{text}\n".encode("cp1252"), {})
    assert parsed.encoding == "cp1252"
    assert parsed.people[0].first_name == text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, ends: str) -> None:
    rows = [
        ["email", "company", "note"],
        ["a@x.example", "Acme, Inc; Co", "one"],
        ["b@x.example", "B|C", "two\tthree"],
    ]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=ends).writerows(rows)
    parsed = parse_file(buffer.getvalue().encode(), {})
    assert parsed.delimiter == delimiter
    assert [p.company for p in parsed.people] == ["Acme, Inc; Co", "B|C"]


def test_the_announced_delimiter_of_excel() -> None:
    parsed = parse_file(b"sep=;\r\nemail;first name\r\nx;y\r\na@x.example;A,B\r\n", {})
    assert (parsed.delimiter, parsed.people[0].first_name) == (";", "A,B")
    assert [(r["row"], r["line"]) for r in parsed.rejected] == [(1, 3)]


def test_one_column_is_enough() -> None:
    assert first("Email", "A@X.example")["email"] == "a@x.example"


def test_lines_are_physical_and_rows_count_data() -> None:
    parsed = parse_file(
        table("email,note", 'a@x.example,"one\ntwo\nthree"', "", "  ,", "bad,x", "b@x.example,y", "worse,z"),
        {},
    )
    assert parsed.rows == 4
    assert [(r["row"], r["line"], r["column"], r["code"]) for r in parsed.rejected] == [
        (2, 7, "email", "email_invalid"), (4, 9, "email", "email_invalid"),
    ]  # fmt: skip
    assert parsed.people[0].custom == {"note": "one two three"}


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("E-Mail-Adresse", "email"), ("Adresse e-mail", "email"), ("Email Address", "email"), ("Courriel", "email"),
        ("Vorname", "first_name"), ("Prénom", "first_name"), ("firstName", "first_name"), ("Given Name", "first_name"),
        ("Nachname", "last_name"), ("Nom de famille", "last_name"), ("lastName", "last_name"), ("FAMILY_NAME", "last_name"),
        ("Firma", "company"), ("Société", "company"), ("Account Name", "company"), ("companyName", "company"),
        ("Position", "title"), ("Intitulé du poste", "title"), ("Job Title", "title"), ("Berufsbezeichnung", "title"),
        ("Telefonnummer", "phone_e164"), ("Numéro de téléphone", "phone_e164"), ("Work Direct Phone", "phone_e164"),
        ("Person Linkedin Url", "linkedin_url"), ("LinkedIn-Profil", "linkedin_url"), ("Land", "country"), ("Pays", "country"),
        ("Country/Region", "country"), ("Sprache", "language"), ("Preferred language", "language"), ("Fuseau horaire", "timezone"),
        ("Time Zone", "timezone"), ("Branche", "industry"), ("Site web", "website"), ("Ansprechpartner", "full_name"),
        ("E-mail 1 - Value", "email"), ("Person - Email - Work", "email"), ("Shoe size", None),
    ],
)  # fmt: skip
def test_headers_are_guessed(column: str, field: str | None) -> None:
    assert guess(column) == field


def test_values_get_their_normal_form() -> None:
    row = first(
        "email,first name,last name,title,company,phone,linkedin,website,country,language,timezone,Renewal Date",
        '"Ann Berg <Ann.Berg+News@Bücher.EXAMPLE>", Ann ,Berg,CTO,Acme,030 901820,'
        "http://de.linkedin.com/in/Ann-Berg-1a2b/?trk=x,Acme.Example/team/,Deutschland,Englisch,europe/berlin,2026-05-01",
    )
    assert row == {
        "row": 1, "email": "ann.berg+news@xn--bcher-kva.example", "first_name": "Ann", "last_name": "Berg", "title": "CTO",
        "company": "Acme", "phone_e164": "+4930901820", "linkedin_url": "https://www.linkedin.com/in/ann-berg-1a2b",
        "website": "https://acme.example/team", "country": "DE", "language": "en", "timezone": "Europe/Berlin",
        "industry": None, "custom": {"renewal_date": "2026-05-01"},
    }  # fmt: skip


@pytest.mark.story("3.1.1.3", 7)
@pytest.mark.parametrize(
    ("country", "code", "zone"),
    [
        ("Germany", "DE", "Europe/Berlin"), ("Allemagne", "DE", "Europe/Berlin"), ("usa", "US", "America/New_York"),
        ("Österreich", "AT", "Europe/Vienna"), ("UK", "GB", "Europe/London"), ("日本", "JP", "Asia/Tokyo"),
        ("Brésil", "BR", "America/Sao_Paulo"), ("", None, None),
    ],
)  # fmt: skip
def test_countries_in_words_and_the_zone_that_follows(
    country: str, code: str | None, zone: str | None
) -> None:
    row = first("email,country", f"a@x.example,{country}")
    assert (row["country"], row["timezone"]) == (code, zone)


@pytest.mark.story("3.1.1.3", 7)
def test_every_country_has_a_zone_that_lies_in_it() -> None:
    for country in _country_codes():
        zone = zone_of(country)
        assert zone is not None, country
        assert is_zone(zone)
        assert country_of_zone(zone) == {"XK": "RS"}.get(country, country)  # Kosovo keeps Belgrade's time


@pytest.mark.parametrize(
    ("header", "cells", "names"),
    [
        ("email,name", "a@x.example,Ann van der Berg", ("Ann", "van der Berg")),
        ("email,full name", 'a@x.example,"Berg, Ann"', ("Ann", "Berg")),
        ("email,name", "a@x.example,Ann", ("Ann", None)),
        ("email,vorname,name", "a@x.example,Ann,Berg", ("Ann", "Berg")),
        ("email,prénom,nom", "a@x.example,Ann,Berg", ("Ann", "Berg")),
    ],
)
def test_names(header: str, cells: str, names: tuple[str | None, str | None]) -> None:
    row = first(header, cells)
    assert (row["first_name"], row["last_name"]) == names


def test_wanted_columns_win_over_guesses() -> None:
    parsed = parse_file(table("email,kontaktadresse,x,plan", "old@x.example,new@x.example,Ann,pro"),
                        {"kontaktadresse": "email", "x": "first_name", "plan": "custom.Tariff Plan"})  # fmt: skip
    assert parsed.mapping == {
        "email": "custom.email", "kontaktadresse": "email", "x": "first_name", "plan": "custom.tariff_plan",
    }  # fmt: skip
    assert parsed.people[0].email == "new@x.example"


def test_an_ignored_column_is_not_even_looked_at() -> None:
    parsed = parse_file(table("email,junk", "a@x.example,\x01\x02"), {"junk": "ignore"})
    assert (parsed.rejected, parsed.people[0].custom) == ([], {})


def test_unknown_repeated_and_empty_column_names() -> None:
    parsed = parse_file(table("email,email,,Größe (cm),e-mail", "a@x.example,b@x.example,c,180,d"), {})
    assert parsed.mapping == {
        "email": "email", "email (2)": "custom.email_2", "column 3": "custom.column_3", "Größe (cm)": "custom.grosse_cm",
        "e-mail": "custom.e_mail",
    }  # fmt: skip


@pytest.mark.story("3.1.1.3", 5)
@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ("ann,,", "email", "email_invalid"), ("ann@acme,,", "email", "email_invalid"), ("@acme.example,,", "email", "email_invalid"),
        ("a b@acme.example,,", "email", "email_invalid"), ("a@acme..example,,", "email", "email_invalid"),
        (".a@acme.example,,", "email", "email_invalid"), ("a@b.example; c@d.example,,", "email", "email_invalid"),
        ("a@x.invalid,,", "email", "email_invalid"), ("jörg@acme.example,,", "email", "email_invalid"),
        (f"{'a' * 65}@acme.example,,", "email", "email_invalid"), (",Ann,", "email", "address_missing"),
        (",Ann,030 12", "email", "address_missing"), (f"a@x.example,{'n' * 101},", "first name", "too_long"),
        (f"{'a' * 321},,", "email", "too_long"), ("a@x.example,A\x00nn,", "first name", "control_characters"),
        ("a@x.example,A\x1bnn,", "first name", "control_characters"), ("a@x.example,Ann,,extra", "", "too_many_cells"),
        ('a@x.example,"Ann" B,', "", "row_unreadable"), ('a@x.example,"Ann,', "", "row_unreadable"),
    ],
)  # fmt: skip
def test_rejected_rows(cells: str, column: str, code: str) -> None:
    parsed = parse_file(table("email,first name,phone", "ok@x.example,,", cells, "ok2@x.example,,"), {})
    assert [(r["row"], r["line"], r["column"], r["code"]) for r in parsed.rejected] == [(2, 3, column, code)]
    assert parsed.rejected[0]["reason"]
    assert [p.email for p in parsed.people] == ["ok@x.example", "ok2@x.example"]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("phone", "12", "phone_invalid"), ("phone", "call me", "phone_invalid"), ("phone", "030 901820", "phone_invalid"),
        ("country", "Atlantis", "country_unknown"), ("language", "Klingon", "language_unknown"),
        ("timezone", "Mars/Base", "timezone_unknown"), ("linkedin", "https://evil.example/in/ann", "linkedin_invalid"),
        ("linkedin", "javascript:alert(1)", "linkedin_invalid"), ("website", "javascript:alert(1)", "website_invalid"),
        ("website", "http://user:pw@x.example", "website_invalid"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_beside_the_address_is_left_out_with_a_warning(
    column: str, value: str, code: str
) -> None:
    parsed = parse_file(table(f"email,{column}", f"a@x.example,{value}"), {})
    assert [(w["row"], w["line"], w["column"], w["code"]) for w in parsed.warnings] == [(1, 2, column, code)]
    row = preview(parsed.people)[0]
    assert not any(
        row[field] for field in ("phone_e164", "country", "language", "timezone", "linkedin_url", "website")
    )


def test_a_person_without_mail_is_accepted_with_another_address() -> None:
    parsed = parse_file(table("email,linkedin,phone", ",linkedin.com/in/ann,", ",,+49 30 901820"), {})
    assert [(p.email, p.linkedin_url, p.phone_e164) for p in parsed.people] == [
        (None, "https://www.linkedin.com/in/ann", None), (None, None, "+4930901820"),
    ]  # fmt: skip


def test_repeated_rows_are_merged_into_the_first() -> None:
    parsed = parse_file(
        table(
            "email,first name,company,linkedin,x",
            "a@x.example,Ann,,,1",
            "b@x.example,Bo,,linkedin.com/in/bo,",
            "A@X.example,Anna,Acme,linkedin.com/in/ann,2",
            "bo@y.example,,,https://www.linkedin.com/in/BO/,",
            "bo@y.example,,Late,,",
        ),
        {},
    )
    assert parsed.merged == [{"row": 3, "into": 1}, {"row": 4, "into": 2}, {"row": 5, "into": 2}]
    ann, bo = parsed.people
    assert (ann.first_name, ann.company, ann.custom) == ("Ann", "Acme", {"x": "1"})
    assert (bo.emails, bo.company) == (["b@x.example", "bo@y.example"], "Late")


def test_a_shared_telephone_does_not_merge_two_people() -> None:
    parsed = parse_file(
        table("first name,phone", "Ann,+4930901820", "Bo,+4930901820", "Ann,+49 30 901820"), {}
    )
    assert [p.first_name for p in parsed.people] == ["Ann", "Bo"]
    assert parsed.merged == [{"row": 3, "into": 1}]


@pytest.mark.must_not("M24")
@pytest.mark.parametrize(
    "text",
    [
        "=cmd|'/c calc'!A1",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "{% raw %}",
        "'; drop table x",
    ],
)
def test_formulas_markup_and_templates_stay_text(text: str) -> None:
    row = first("email,first name,company,note", f'a@x.example,"{text}","{text}","{text}"')
    assert (row["first_name"], row["company"], row["custom"]["note"]) == (text, text, text)


def test_invisible_marks_are_removed() -> None:
    assert first("\ufeffemail,first name", "a@x.example,\u202eAn\u200bn\u2066")["first_name"] == "Ann"


REFUSED = {
    "nothing": (b"", "file_empty"),
    "blank": (b" \r\n\r\n", "file_empty"),
    "workbook": (b"PK\x03\x04" + b"\0" * 100, "not_text"),
    "old workbook": (b"\xd0\xcf\x11\xe0" + b"\0" * 100, "not_text"),
    "noughts": (b"\0" * 1000, "not_text"),
    "no header": (b"a@x.example,Ann\nb@x.example,Bo\n", "header_missing"),
    "unknown header": (b"foo,bar\n1,2\n", "header_unknown"),
    "open quote in header": (b'"email,name\na@x.example,A\n', "header_unreadable"),
    "half utf-16": (b"\xff\xfee\x00m", "encoding_unreadable"),
    "too many columns": (b"email," + b"," * 300 + b"\n", "too_many_columns"),
    "too large": (b"email\n" + b"x" * (50 * 1024 * 1024), "file_too_large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_cannot_be_read_are_refused_in_words(name: str) -> None:
    data, code = REFUSED[name]
    with pytest.raises(CadenzaError) as error:
        parse_file(data, {})
    assert error.value.code == code
    assert error.value.fix


@pytest.mark.parametrize(
    "wanted",
    [{"mial": "email"}, {"email": "e-post"}, {"email": "email", "name": "email"}, {"email": "custom."}],
)
def test_a_wrong_map_is_refused(wanted: dict[str, str]) -> None:
    with pytest.raises(CadenzaError) as error:
        parse_file(b"email,name\na@x.example,A\n", wanted)
    assert error.value.code == "map_invalid"
    assert error.value.problems[0].key in wanted


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "data",
    [
        b"email\n" + b'"x\n' * 100_000,
        b"email\n" + b'""x"\n' * 100_000,
        b"email\n" + b'"' * 1_000_001,
        b'email,a\n"' + b"x" * 5_000_000,
        b"email\n" + b"," * 5_000_000 + b"x",
        b"email\n" + b"a@x.example" * 500_000,
        b"email\n" + b"a." * 150 + b"@" + b"a." * 100_000,
    ],
    ids=[
        "open quotes",
        "wrong quotes",
        "only quotes",
        "endless cell",
        "endless row",
        "long address",
        "long domain",
    ],
)
def test_hostile_files_take_no_time(data: bytes) -> None:
    before = time.perf_counter()
    parsed = parse_file(data, {})
    assert parsed.people == []
    assert parsed.rejected
    assert time.perf_counter() - before < 15


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(CadenzaError) as error:
        parse_file(b"email\n" + b"x\n" * 200_001, {})
    assert error.value.code == "too_many_rows"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(lambda data: b"email,name\n" + data)))
def test_no_bytes_raise_anything_but_words(data: bytes) -> None:
    try:
        parsed = parse_file(data, {})
    except CadenzaError as refused:
        told = refused.fix
        assert told
    else:
        assert parsed.rows == len(parsed.people) + len(parsed.merged) + len(parsed.rejected)


CELLS = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=8), delimiter=st.sampled_from(",;\t|"))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow(["email", "first name", "note"])
    writer.writerows([f"p{n}@x.example", *cells] for n, cells in enumerate(rows))
    parsed = parse_file(buffer.getvalue().encode("utf-8-sig"), {})
    assert parsed.delimiter == delimiter
    assert parsed.rejected == []
    assert [p.email for p in parsed.people] == [f"p{n}@x.example" for n in range(len(rows))]
    for person, cells in zip(parsed.people, rows, strict=True):
        assert (person.first_name or "") == plain(cells[0])


def plain(cell: str) -> str:
    marks = dict.fromkeys(
        [0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    )
    return " ".join(cell.translate(marks).split())


def test_bytes_that_are_no_text_are_told_as_such_and_not_as_odd_column_names() -> None:
    noise = bytes((7 * n * n + 3 * n) % 256 for n in range(20_000))
    with pytest.raises(CadenzaError) as refused:
        parse_file(noise, {})
    assert refused.value.code == "not_text"


def test_a_header_that_names_a_custom_field_is_that_field() -> None:
    parsed = parse_file(table("email,custom.note", "ann@acme.example,old friend"), {})
    assert parsed.mapping["custom.note"] == "custom.note"


def test_a_second_column_of_the_same_name_is_told_and_kept() -> None:
    parsed = parse_file(table("email,company,firma,company", "ann@acme.example,Acme,Acme GmbH,A"), {})
    told = [(fault["column"], fault["code"]) for fault in parsed.warnings]
    assert told == [("company (2)", "column_repeated")]
    assert parsed.people[0].custom == {"firma": "Acme GmbH", "company_2": "A"}
    mapped = parse_file(
        table("email,company,firma", "ann@acme.example,Acme,A"), {"firma": "custom.legal_name"}
    )
    assert mapped.warnings == []


def test_a_file_of_names_alone_says_so() -> None:
    parsed = parse_file(table("email,company"), {})
    assert [(fault["line"], fault["code"]) for fault in parsed.warnings] == [(1, "no_rows")]
