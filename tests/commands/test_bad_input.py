"""Broken files, templates and settings: an error that names file, line or field, says what to do, and changes nothing."""

import pytest
from sqlalchemy import create_engine, text

from tests.support.campaigns import document
from tests.support.shell import Ran, Shell

STEP = '- {{id: intro, after: {{days: 0}}, variants: [{{id: a, subject: "{subject}", text: "{text}"}}]}}'


def told(ran: Ran, *named: str) -> None:
    """Refused in words for people and, on standard output, as JSON; every given word stands in both."""
    assert ran.code == 1, ran.out
    assert ran.err.strip()
    for words in named:
        assert words in ran.err, ran.err
        assert words in ran.out, ran.out


async def rows(cadenza: Shell) -> dict[str, int]:
    engine = create_engine(
        cadenza.settings["CADENZA_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
    )
    with engine.connect() as connection:
        tables = ("contacts", "accounts", "imports", "campaigns", "campaign_versions", "events", "mailboxes")
        counts = {
            name: int(connection.execute(text(f"select count(*) from {name}")).scalar_one())
            for name in tables
        }
    engine.dispose()
    return counts


CSV = {
    "nothing": (b"", "file_empty"),
    "a workbook": (b"PK\x03\x04" + bytes(100), "not_text"),
    "no header": (b"a@x.example,Ann\nb@x.example,Bo\n", "header_missing"),
    "an unknown header": (b"foo,bar\n1,2\n", "header_unknown"),
    "half a character": (b"\xff\xfee\x00m", "encoding_unreadable"),
}


@pytest.mark.parametrize("what", CSV)
async def test_a_broken_csv_is_refused_whole(cadenza: Shell, what: str) -> None:
    data, code = CSV[what]
    before = await rows(cadenza)
    file = cadenza.file("broken.csv", data)
    ran = await cadenza("contacts", "import", file, "--json")
    told(ran, str(file))
    assert (set(ran.only), ran.only["error"]["code"]) == ({"file", "error"}, code)
    assert await rows(cadenza) == before


async def test_a_bad_row_is_named_by_line_and_column(cadenza: Shell) -> None:
    file = cadenza.file(
        "rows.csv", 'email,first name,country\nann@acme.example,Ann,DE\nnonsense,Bo,DE\n"open,Cy,DE\n'
    )
    ran = await cadenza("contacts", "import", file, "--dry-run", "--json")
    assert ran.code == 1
    assert next((r["row"], r["line"], r["column"]) for r in ran.only["rejected"]) == (2, 3, "email")
    assert all(r["code"] and r["reason"] for r in ran.only["rejected"])


_APPLIED = {"file", "campaign", "version", "created", "changes", "errors", "rejected", "warnings"}
YAML = {
    "no YAML": ("version: 1\nname: [x\n", (2, 3), ""),
    "a wrong key": (document(extra="nonsense: 1"), (7,), "nonsense"),
    "a wrong type": (document(caps="{per_person_per_week: many}"), (6,), "caps.per_person_per_week"),
    "a twin key": (document(extra="name: again"), (7,), "name"),
    "an alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", (1, 2, 3), ""),
    "another channel": (document("- {id: intro, channel: telegram, action: connect}"), (9,), "steps[1].channel"),
    "an unknown step": (document(STEP.format(subject="x", text="y") + '\n- {id: b, after: {days: 1}, when: "opened(nowhere)", variants: [{id: a, subject: "x", text: "y"}]}'), (10,), "steps[2].when"),
    "a template without end": (document(STEP.format(subject="x", text="Hi {{ contact.first_name")), (9,), "steps[1].variants[1].text"),
    "a template without fallback": (document(STEP.format(subject="x", text="Hi {{ contact.first_name }}")), (9,), "steps[1].variants[1].text"),
    "a token that does not exist": (document(STEP.format(subject="{{ contact.shoe_size | default: 'x' }}", text="y")), (9,), "steps[1].variants[1].subject"),
    "a hungry template": (document(STEP.format(subject="x", text="{% for i in (1..999999999) %}x{% endfor %}")), (9,), "steps[1].variants[1].text"),
    "nothing": ("", (1, None), ""),
    "a scalar": ("just words", (1,), ""),
}  # fmt: skip


@pytest.mark.parametrize("what", YAML)
async def test_a_broken_campaign_file_names_line_and_key_and_changes_nothing(
    cadenza: Shell, what: str
) -> None:
    source, lines, key = YAML[what]
    before = await rows(cadenza)
    ran = await cadenza("campaigns", "apply", cadenza.file("broken.yaml", source), "--json")
    assert (ran.code, set(ran.only)) == (1, _APPLIED), ran.out
    assert ran.only["version"] is None
    found = [e for e in ran.only["errors"] if e["line"] in lines and (e["key"] or "").startswith(key)]
    assert found, ran.only["errors"]
    assert all(e["message"] for e in ran.only["errors"])
    assert await rows(cadenza) == before
    words = await cadenza("campaigns", "apply", cadenza.folder / "broken.yaml")
    assert (words.code, words.out) == (1, "")
    assert "nothing was changed" in words.err


async def test_rows_that_a_campaigns_file_of_people_loses_are_named(cadenza: Shell) -> None:
    """Applying is partly failed then: exit 1, each row told, the campaign and the good rows kept."""
    cadenza.file("lossy.csv", "email,first name\nann@lossy.example,Ann\nnonsense,Bo\n")
    source = document(name="lossy").replace("people.csv", "lossy.csv")
    ran = await cadenza("campaigns", "apply", cadenza.file("lossy.yaml", source), "--json")
    assert (ran.code, ran.only["version"], ran.only["errors"]) == (1, 1, [])
    assert [(r["row"], r["line"], r["column"]) for r in ran.only["rejected"]] == [(2, 3, "email")]
    other = document(name="lossy-words").replace("people.csv", "lossy-words.csv")
    cadenza.file("lossy-words.csv", "email,first name\nbo@lossy.example,Bo\nnothing,Cy\n")
    words = await cadenza("campaigns", "apply", cadenza.file("lossy-words.yaml", other))
    assert (words.code, "row 2, line 3" in words.err) == (1, True)


async def test_several_campaign_files_are_told_apart(cadenza: Shell) -> None:
    """By the name of the file: one that cannot be read as a campaign has no name of its own."""
    files = [cadenza.file(f"broken-{n}.yaml", "name: [x\n") for n in range(2)]
    ran = await cadenza("campaigns", "apply", *files, "--json")
    assert [line["file"] for line in ran.lines] == [str(file) for file in files]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00\x01", b"x" * 5_000_000], ids=["no text", "endless"])
async def test_a_campaign_file_that_is_no_text_is_refused_whole(cadenza: Shell, data: bytes) -> None:
    file = cadenza.file("broken.yaml", data)
    ran = await cadenza("campaigns", "apply", file, "--json")
    told(ran, str(file), "broken.yaml")


MIME = {
    "bytes": bytes(range(256)) * 20,
    "headers without end": b"Subject: x\r\n" * 5000,
    "a part without end": b'From: a@x.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!',
    "parts in parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(200)
    ),
    "no address": b"From: <>\r\nTo: ;;;\r\nDate: nonsense\r\nMessage-ID: \r\n\r\n\xff",
}


@pytest.mark.parametrize("what", MIME)
@pytest.mark.parametrize("command", [("mail", "classify"), ("replies", "analyze")])
async def test_broken_mail_gets_an_answer(bare: Shell, what: str, command: tuple[str, str]) -> None:
    ran = await bare(*command, bare.file("broken.eml", MIME[what]))
    assert len(ran.lines) == 1
    assert ran.code == int("error" in ran.only)


@pytest.mark.parametrize("command", [("mail", "classify"), ("replies", "analyze")])
async def test_what_is_no_mail_is_refused(bare: Shell, command: tuple[str, str]) -> None:
    """Not one header says that it is a mail: nobody wrote it."""
    ran = await bare(
        *command, bare.file("noise.eml", bytes(range(128, 256)) * 20), bare.file("words.eml", "hello\n")
    )
    assert (ran.code, [line["error"]["code"] for line in ran.lines]) == (1, ["file_not_mail"] * 2)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "line 1"),
        ('{"raw_body": 7}', "raw_body"),
        ('{"raw_body": "x", "received_at": "soon"}', "received_at"),
    ],
)
async def test_a_broken_line_is_named_and_the_others_are_read(bare: Shell, line: str, named: str) -> None:
    ran = await bare(
        "replies", "analyze", bare.file("lines.jsonl", f'{line}\n{{"id": "2", "raw_body": "No thanks."}}\n')
    )
    wrong, right = ran.lines
    assert (ran.code, wrong["line"], right["id"], right["intent"]) == (1, 1, "2", "not_interested")
    assert named in wrong["error"]["message"] or named == f"line {wrong['line']}"


SETTINGS = {
    "CADENZA_PORT": ["abc", "-1", "70000"],
    "CADENZA_DATABASE_URL": ["foo", "mysql://x/y"],
    "CADENZA_SECRET_KEY": ["short", "!" * 44],
    "CADENZA_PUBLIC_URL": ["north.example", "http://north.example"],
    "CADENZA_LOG_LEVEL": ["loud"],
    "CADENZA_LEASE_SECONDS": ["0"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in SETTINGS.items() for v in values])
async def test_a_wrong_setting_is_named(cadenza: Shell, name: str, value: str) -> None:
    ran = await cadenza("campaigns", "status", "x", "--json", **{name: value})
    told(ran, name)
    assert set(ran.only["error"]) == {"code", "message"}


@pytest.mark.parametrize(
    "url", ["postgresql://nobody:x@127.0.0.1:9/none", "postgresql://127.0.0.1:9/none?connect_timeout=2"]
)
async def test_a_database_that_is_not_there_is_told_in_words(cadenza: Shell, url: str) -> None:
    ran = await cadenza("campaigns", "status", "x", "--json", CADENZA_DATABASE_URL=url)
    assert ran.code == 1
    assert set(ran.only) == {"error"}
