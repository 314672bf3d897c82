"""Templates: refused when saved for every fault that could show when sent, and inert towards any data."""

import re
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.campaigns.contracts import Rendered, Variant
from cadenza.campaigns.template_parser import TemplateError, parse_template
from cadenza.campaigns.templates import MAX_SUBJECT, Part, check, compile_variant

CUSTOM = frozenset({"plan", "renewal"})
FACTS: dict[str, Any] = {
    "contact": {
        "first_name": "Ann", "last_name": "Berg", "title": "CTO", "email": "ann@acme.example", "language": "de",
        "country": "DE", "custom": {"plan": "Pro", "renewal": "2026-05-09"},
    },
    "account": {"name": "Acme", "domain": "acme.example", "industry": None, "country": "DE"},
    "sender": {"name": "Bo Lind", "address": "bo@north.example", "signature": "Bo Lind\nNorth"},
}  # fmt: skip
NOBODY: dict[str, Any] = {
    "contact": {"email": "x@y.example", "first_name": "", "last_name": None, "custom": {}},
    "account": {"name": "Y"},
    "sender": {"name": "Bo", "address": "bo@north.example"},
}


def printed(
    text: str, facts: dict[str, Any] = FACTS, *, html: str | None = None, subject: str | None = None
) -> Rendered:
    return compile_variant(Variant("a", text, subject, html)).render(facts)


@pytest.mark.story("3.1.2.2", 1)
@pytest.mark.parametrize(
    ("template", "known", "unknown"),
    [
        ("Hi {{ contact.first_name | default: 'there' }},", "Hi Ann,", "Hi there,"),
        ("{{ contact.first_name | upcase | default: 'x' }}", "ANN", "x"),
        ("{{ contact.title | downcase | capitalize | default: 'You' }}", "Cto", "You"),
        ("{{ contact.last_name | default: contact.first_name | default: 'friend' }}", "Berg", "friend"),
        ("Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %}!", "Hello Ann!", "Hello!"),
        ("{% unless contact.title %}-{% else %}{{ contact.title }}{% endunless %}", "CTO", "-"),
        ("{% if contact.title == blank %}-{% else %}{{ contact.title }}{% endif %}", "CTO", "-"),
        ("{% if contact.title != '' and contact.custom.plan %}{{ contact.title }} {{ contact.custom.plan }}{% else %}-{% endif %}", "CTO Pro", "-"),
        ("{% if contact.language == 'de' %}Hallo{% elsif contact.language == 'fr' %}Salut{% else %}Hello{% endif %}", "Hallo", "Hello"),
        ("{% case contact.language %}{% when 'de', 'at' %}Hallo{% when 'de' %}!{% else %}Hello{% endcase %}", "Hallo", "Hello"),
        ("{{ contact.custom.renewal | date: '%-d. %B %Y' | default: 'soon' }}", "9. May 2026", "soon"),
        ("{{ contact.custom.plan | truncate: 2, '' | default: '-' }}", "Pr", "-"),
        ("{{ contact.title | default: 'x' | append: '!' | prepend: '<' }}", "<CTO!", "<x!"),
        ("{{ account.name }}{% comment %} {{ contact.first_name }} {% endcomment %}", "Acme", "Y"),
        ("{% if contact.title contains 'T' %}t{% else %}-{% endif %}", "t", "-"),
        ("{% if contact.custom.renewal > 5 %}a{% else %}b{% endif %}", "b", "b"),
        ("{{ sender.name }}{{ sender.signature | strip }}", "Bo LindBo Lind\nNorth", "Bo"),
        ("a {{- account.name -}} b", "aAcmeb", "aYb"),
    ],
)  # fmt: skip
@pytest.mark.story("3.1.2.2", 5)
def test_values_and_fallbacks(template: str, known: str, unknown: str) -> None:
    assert check(template, Part.TEXT, CUSTOM) == []
    assert printed(template).text == known
    assert printed(template, NOBODY).text == unknown


@pytest.mark.story("3.1.2.2", 1, 5)
@pytest.mark.parametrize(
    ("template", "code", "says"),
    [
        ("{{ contact.frist_name | default: 'x' }}", "token_unknown", "'contact.first_name'"),
        ("{{ first_name | default: 'x' }}", "token_unknown", "contact.first_name"),
        ("{{ contact.custom.plna | default: 'x' }}", "token_unknown", "'contact.custom.plan'"),
        ("{{ contact.custom }}", "token_unknown", "no known value"),
        ("{{ contact.__class__ }}", "token_unknown", "no known value"),
        ("{% if contact.nick %}x{% else %}y{% endif %}", "token_unknown", "no known value"),
        ("{{ account.name | append: company }}", "token_unknown", "Known"),
        ("Hi {{ contact.first_name }},", "fallback_missing", "default:"),
        ("Hi {{ contact.first_name | default: '' }},", "fallback_missing", "default:"),
        ("Hi {{ contact.first_name | default: ' ' }},", "fallback_missing", "default:"),
        ("Hi {{ contact.first_name | default: contact.last_name }},", "fallback_missing", "default:"),
        ("Hi {{ contact.first_name | append: '!' | default: 'there' }},", "fallback_missing", "default:"),
        ("{{ account.name | append: contact.title }}", "fallback_missing", "contact.title"),
        ("{{ contact.custom.plan }}", "fallback_missing", "contact.custom.plan"),
        ("{% if contact.title or contact.last_name %}{{ contact.title }}{% else %}x{% endif %}", "fallback_missing", "contact.title"),
        ("{% if contact.title %}x{% else %}{{ contact.title }}{% endif %}", "fallback_missing", "contact.title"),
        ("{% if contact.title == contact.last_name %}{{ contact.title }}{% else %}x{% endif %}", "fallback_missing", "contact.title"),
        ("{% if contact.title == '' %}{{ contact.title }}{% else %}x{% endif %}", "fallback_missing", "contact.title"),
        ("{% case contact.title %}{% when 'CTO' %}x{% else %}{{ contact.title }}{% endcase %}", "fallback_missing", "contact.title"),
        ("{% if contact.title %}x{% endif %}", "part_empty", "empty"),
        ("{{ sender.signature }}", "part_empty", "empty"),
    ],
)  # fmt: skip
def test_unknown_values_and_missing_fallbacks_are_errors_when_saved(
    template: str, code: str, says: str
) -> None:
    found = check(template, Part.TEXT, CUSTOM)
    assert [p.code for p in found] == [code]
    assert says in found[0].message


def test_faults_name_their_line() -> None:
    found = check("one\n{{ contact.a }}\n\n{{ contact.b }}", Part.TEXT, CUSTOM)
    assert [p.line for p in found] == [2, 4]


HOSTILE = {
    "huge range": "{% for i in (1..2000000000) %}x{% endfor %}",
    "range value": "{{ (1..2000000000) }}",
    "range in case": "{% case (1..9) %}{% when 1 %}x{% endcase %}",
    "doubling": "{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 60 + "{{ a }}",
    "capture": "{% capture a %}x{% endcapture %}{{ a }}",
    "replace": "{{ account.name | replace: '', 'xxxxxxxx' | replace: '', 'xxxxxxxx' }}",
    "split": "{{ account.name | split: '' | join: account.name }}",
    "wide date": "{{ 'now' | date: '%1000000000d' }}",
    "date of a value": "{{ '2026-01-01' | date: account.name }}",
    "odd date": "{{ '2026-01-01' | date: '%Q' }}",
    "half date": "{{ '2026-01-01' | date: '%' }}",
    "times": "{{ 9 | times: 99999999999 | times: 99999999999 }}",
    "slice": "{{ account.name | slice: 0, 9999999999 }}",
    "truncate by a value": "{{ account.name | truncate: account.name }}",
    "truncate far": "{{ account.name | truncate: 9999999999999999999999 }}",
    "include": "{% include 'x' %}",
    "render": "{% render '/etc/passwd' %}",
    "liquid tag": "{% liquid\nassign x = 1\n%}",
    "echo": "{% echo account.name %}",
    "raw": "{% raw %}{{ account.name }}{% endraw %}",
    "doc": "{% doc %}x{% enddoc %}",
    "increment": "{% increment a %}",
    "cycle": "{% cycle 'a', 'b' %}",
    "tablerow": "{% tablerow i in (1..10) %}{% endtablerow %}",
    "index by value": "{{ contact[account.name] }}",
    "index by number": "{{ contact[0] }}",
    "jinja": "{{ contact.__class__.__mro__ }}",
    "arithmetic": "{{ 7*7 }}",
    "unclosed value": "Hi {{ contact.first_name",
    "unclosed tag": "Hi {% if contact.first_name",
    "unclosed if": "{% if account.name %}x",
    "stray end": "x{% endif %}",
    "empty value": "{{ }}",
    "empty tag": "{% %}",
    "unknown filter": "{{ account.name | md5 }}",
    "named value": "{{ account.name | default: 'x', allow_false: true }}",
    "ternary": "{{ account.name if contact.title else 'x' }}",
    "too many filters": "{{ account.name " + "| upcase " * 40 + "}}",
    "too many values": "{{ account.name }}" * 1000,
    "opened often": "{{" * 50_000,
    "tags opened often": "{%" * 50_000,
    "raw opened often": "{% raw %}" * 10_000,
    "nested deep": "{% if account.name %}" * 200 + "x" + "{% endif %}" * 200,
    "too long": "x" * 200_000,
    "long condition": "{% if " + "account.name and " * 100 + "account.name %}x{% endif %}",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_are_refused_at_once(name: str) -> None:
    before = time.perf_counter()
    found = check(HOSTILE[name], Part.TEXT, CUSTOM)
    assert found
    assert all(p.message and p.line for p in found)
    assert time.perf_counter() - before < 2


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("<a href='{{ contact.custom.plan | default: 'x' }}'>x</a>", "html_unsafe"),
        ("<a href={{ account.name }}>x</a>", "html_unsafe"),
        ('<img src="{{ account.name }}">', "html_unsafe"),
        ("<p title={{ account.name }}>x</p>", "html_unsafe"),
        ("<p onclick=\"go('{{ account.name }}')\">x</p>", "html_unsafe"),
        ("<style>p { color: {{ account.name }} }</style>", "html_unsafe"),
        ("<SCRIPT>alert(1)</SCRIPT>", "html_unsafe"),
    ],
)
def test_places_in_html_where_a_value_could_act_are_refused(template: str, code: str) -> None:
    assert code in [p.code for p in check(template, Part.HTML, CUSTOM)]


@pytest.mark.parametrize(
    "template",
    [
        '<a href="https://north.example/?c={{ account.name }}">x</a>',
        "<p title='{{ account.name }}'>a = {{ account.name }}</p>",
    ],
)
def test_ordinary_html_passes(template: str) -> None:
    assert check(template, Part.HTML, CUSTOM) == []


def company(name: str) -> dict[str, Any]:
    return FACTS | {"account": {"name": name}}


@pytest.mark.must_not("M24")
@pytest.mark.asvs("1.3.7")
@pytest.mark.parametrize(
    "name",
    ["{{7*7}}", "{{ contact.email }}", "{% if true %}x{% endif %}", "=1+1", "@SUM(A1)", "%{7*7}", "${7*7}"],
)
def test_templates_and_formulas_in_data_stay_text(name: str) -> None:
    got = printed(
        "About {{ account.name }}",
        company(name),
        html="<p>{{ account.name }}</p>",
        subject="For {{ account.name }}",
    )
    assert (got.text, got.subject) == (f"About {name}", f"For {name}")
    assert got.html == f"<p>{name}</p>"


@pytest.mark.must_not("M24")
@pytest.mark.parametrize(
    "template", ["{{ account.name }}", "{{ account.name | escape }}", "{{ account.name | append: '' }}"]
)
def test_html_in_data_is_escaped_once_in_html_and_kept_in_text(template: str) -> None:
    got = printed(
        "{{ account.name }}", company("<script>alert('1')</script> & Co"), html=f"<p>{template}</p>"
    )
    assert got.html == "<p>&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt; &amp; Co</p>"
    assert got.text == "<script>alert('1')</script> & Co"


@pytest.mark.parametrize("breaks", ["\r\nBcc: all@victim.example", "\n\n", "\0x", "\u2028x", "\x85x", "\v\f"])
def test_subjects_have_no_line_breaks_or_control_characters(breaks: str) -> None:
    subject = printed("x", company(f"Acme{breaks}"), subject="For {{ account.name }}\nnow").subject
    assert subject
    assert subject.isprintable()
    assert subject.startswith("For Acme")
    assert subject.endswith("now")


def test_a_signature_keeps_its_lines() -> None:
    got = printed("{{ sender.signature }}", html="<p>{{ sender.signature }}</p>")
    assert got.text == "Bo Lind\nNorth"
    assert got.html == "<p>Bo Lind<br>\nNorth</p>"


def test_without_html_there_is_text_only_and_without_subject_none() -> None:
    assert printed("x") == Rendered(subject=None, text="x", html=None)


DATA = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.just("x" * 100_000)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
EVERYTHING = (
    "{{ contact.first_name | capitalize | default: 'there' }} {{ contact.custom.renewal | date: '%d.%m.%Y' | default: '-' }}"
    "{% if contact.title > 3 %}{{ contact.title | append: account.name | truncate: 40 }}{% endif %}{{ account.name }}"
    "{% case contact.language %}{% when 'de' %}a{% else %}b{% endcase %}{{ sender.signature | escape }}"
)


@pytest.mark.must_not("M24")
@settings(max_examples=200, deadline=None)
@given(
    contact=st.dictionaries(st.sampled_from(["first_name", "title", "language", "custom", "email"]), DATA),
    account=DATA,
    custom=DATA,
    sender=st.dictionaries(st.sampled_from(["signature", "name"]), DATA),
)
def test_no_data_makes_rendering_fail_or_grow(
    contact: dict[str, Any], account: Any, custom: Any, sender: Any
) -> None:
    assert check(EVERYTHING, Part.TEXT, CUSTOM) == []
    facts = {
        "contact": {**contact, "custom": {"renewal": custom}},
        "account": {"name": account},
        "sender": sender,
    }
    got = printed(EVERYTHING, facts, html=EVERYTHING, subject=EVERYTHING)
    assert got.subject
    assert len(got.subject) <= MAX_SUBJECT
    assert got.html is not None
    assert len(got.text) + len(got.html) < 100_000
    assert not {unicodedata.category(character) for character in got.subject} & {"Cc", "Cs", "Zl", "Zp"}


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", " if ", " endif ", " else ", "contact.title", " | ", "default: 'x'", "append: ", "'", "x", "-",
     " case ", " when ", " endcase ", "account.name", " == ", "\n", "(1..9)", "#", "comment", "endcomment", "raw", "\0"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_source_is_refused_in_words_or_renders(source: str) -> None:
    if found := check(source, Part.HTML, CUSTOM):
        assert all(p.message for p in found)
        return
    for facts in (FACTS, NOBODY):
        got = printed(source, facts, html=source, subject=source)
        assert got.text.strip()


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("{{ }}", "write one"), ("{{ contact.email | }}", "remove the |"), ("{% if %}x{% endif %}", "write it"),
        ("{% if contact.email %}x", "add {% endif %}"), ("{% endif %}", "remove it"), ("{{ contact email }}", "written like"),
        ("{% if contact.title = 'x' %}x{% endif %}", "comparisons with =="), ('{{ "x }}', "close it"), ("{{ contact.email! }}", "write it like"),
    ],
)  # fmt: skip
def test_a_fault_says_what_to_do(source: str, remedy: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(remedy)):
        parse_template(source)
