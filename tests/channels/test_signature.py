"""A signature in HTML: looks like something, does nothing, and never gets out of the place that it stands in."""

from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html  # type: ignore[import-untyped]

from cadenza.channels.signature import check_signature, text_as_html

_TAGS = ("a", "b", "br", "div", "em", "hr", "i", "p", "small", "span", "strong", "u")
_SCHEMES = ("https://", "http://", "mailto:", "tel:")

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(escape)
address = st.sampled_from(
    ["https://north.example/a?b=1&amp;c=2", "mailto:anna@north.example", "tel:+4930123"]
)
plain = words | st.sampled_from(["<br>", "<br/>", "<hr>"])


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    emphasis = st.tuples(st.sampled_from(["b", "i", "em", "u", "span", "small", "strong"]), inner)
    return st.lists(
        inner | emphasis.map(lambda found: f"<{found[0]}>{found[1]}</{found[0]}>"), max_size=4
    ).map("".join)


emphasised = st.recursive(plain, _around, max_leaves=8)
linked = st.tuples(address, emphasised).map(lambda found: f'<a href="{found[0]}">{found[1]}</a>')
good = st.lists(emphasised | linked | linked.map(lambda text: f"<p>{text}</p>"), max_size=4).map("".join)
evil = st.sampled_from(
    [
        "<script>x()</script>", "<img src=https://t.example/p.gif>", "<b onclick=x()>", " onload=x() ", "<a href='javascript:x()'>x</a>",
        '<a href="https://a.example" href="javascript:x()">x</a>', "<style>*{display:none}</style>", '<p style="color:red">', "</td></tr></table>",
        "</body>", "<b/>", '<a href="https://a.example"/>', '</b a=">', "</b <img src=x>", "<!--", "-->", "<!-->", "<![CDATA[", "<![", "]]>", "<?", "</", "<", ">",
        '"', "'", "</p>", "<p>", "<div>", "</div>", "<base href=//t.example>", "<iframe src=//t.example>", "<svg/onload=x()>", "<template>", "\0",
        "<form action=//t.example>", "<plaintext>", "<textarea>", "<title>", "&lt;script&gt;", '<a\thref="https://a.example">', "<meta http-equiv=refresh>",
    ]
)  # fmt: skip


def _inert_and_inside(signature: str) -> None:
    page = f"<html><body><table><tr><td id='in'>{signature}</td><td id='after'>after</td></tr></table></body></html>"
    root = lxml_html.document_fromstring(page)
    (cell,), (after,) = root.xpath("//td[@id='in']"), root.xpath("//td[@id='after']")
    assert [each.tag for each in after.iterancestors()] == ["tr", "table", "body", "html"]
    assert after.text == "after"
    inside = list(cell.iterdescendants())
    assert len(list(root.iter())) == 6 + len(inside)  # nothing of it stands elsewhere
    for each in inside:
        assert each.tag in _TAGS
        assert set(each.attrib) <= {"href"}
        assert each.get("href", "https://").startswith(_SCHEMES)


@settings(deadline=None, max_examples=150)
@given(good)
def test_emphasis_line_breaks_and_links_are_kept(signature: str) -> None:
    assert check_signature("", signature) == ()
    _inert_and_inside(signature)


@settings(deadline=None, max_examples=400)
@given(good, st.lists(st.tuples(st.floats(0, 1), evil), min_size=1, max_size=3))
def test_whatever_is_let_in_is_inert_and_stays_in_its_place(
    signature: str, pieces: list[tuple[float, str]]
) -> None:
    for where, piece in pieces:
        place = int(where * len(signature))
        signature = signature[:place] + piece + signature[place:]
    if check_signature("", signature) == ():
        _inert_and_inside(signature)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60))
def test_a_text_alone_is_a_signature_in_html_that_can_be_kept(text: str) -> None:
    assert check_signature(text, text_as_html(text)) == ()
    _inert_and_inside(text_as_html(text))


@pytest.mark.asvs("1.3.1")
@pytest.mark.parametrize(
    "signature",
    [
        "<script>x()</script>",
        "<p onclick='x()'>Anna</p>",
        '<a href="javascript:x()">Anna</a>',
        '<a href="JAVAscript&colon;x()">Anna</a>',
        '<a href=" https://a.example">Anna</a>',
        '<a href="data:text/html,x">Anna</a>',
        '<a href="//t.example">Anna</a>',
        '<a href="https://a.example" href="javascript:x()">Anna</a>',
        '<img src="https://t.example/pixel.gif">',
        '<p style="background:url(https://t.example/p.gif)">Anna</p>',
        "<style>p{display:none}</style>",
        '<link rel="stylesheet" href="https://t.example/x.css">',
        "<!-- Anna -->",
        "<!doctype html>",
        "<![C",  # the parser of the standard library fails on it
        "<?xml version='1.0'?>",
        "</td></tr></table>",
        "</div>",
        "<p>Anna",
        "<b/>Anna",
        "Anna <",
        "<b>Anna</b a='>",
        "<b></p></b>",
        "A\0nna",
    ],
)
def test_what_could_act_load_hide_or_leave_its_place_is_refused(signature: str) -> None:
    found = check_signature("", f"Line one\n{signature}")
    assert found
    for problem in found:
        assert problem.message
        assert problem.key in ("signature", "signature_html")
        assert problem.line == 2 or "NUL" in problem.message


@pytest.mark.parametrize(("text", "html", "key"), [("x" * 5001, None, "signature"), ("", "x" * 5001, "signature_html")])  # fmt: skip
def test_one_that_is_longer_than_any_person_writes_is_refused(text: str, html: str | None, key: str) -> None:
    assert [problem.key for problem in check_signature(text, html)] == [key]
