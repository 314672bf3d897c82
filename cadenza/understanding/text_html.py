"""HTML mail to plain text. Nothing is fetched or run; what a reader would not see is left out."""

import re

from inscriptis.html_engine import Inscriptis  # type: ignore[import-untyped]
from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped]
from lxml import etree, html  # type: ignore[import-untyped]

_LIMIT = 400_000  # characters; a longer page is cut, for no person writes that much
_DEPTH = 400  # nesting that the tree walk of the converter bears
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])|font-size\s*:\s*[01]px|"
    r"max-height\s*:\s*0(?![.\d])|mso-hide\s*:\s*all",
    re.IGNORECASE,
)
_HISTORY_CLASSES = ("gmail_attr", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote")
_SIGNATURE_CLASSES = ("gmail_signature", "moz-signature", "protonmail_signature_block")
_LOOKS_LIKE_HTML = re.compile(
    r"<(?:html|body|div|p|br|table|span|blockquote|head|!doctype|a|b|font)\b[^>]*>", re.IGNORECASE
)


def looks_like_html(body: str) -> bool:
    return bool(_LOOKS_LIKE_HTML.search(body[:20_000]))


def html_to_text(markup: str, *, without_quotes: bool = False) -> str:
    """The visible text. ``without_quotes`` also drops what mail programs mark as history or signature."""
    root = _parse(markup[:_LIMIT])
    if root is None:
        return ""
    for element in list(root.iter()):
        if _unseen(element) or (without_quotes and _signature(element)):
            _drop(element)
    if without_quotes:
        _drop_history(root)
    if _too_deep(root):
        return _squeeze("\n".join(piece for piece in root.itertext() if piece.strip()))
    return _squeeze(Inscriptis(root, ParserConfig()).get_text())


def _parse(markup: str) -> html.HtmlElement | None:
    clean = re.sub(r"^\s*<\?xml[^>]*\?>", "", markup).replace("\x00", "")
    clean = clean.encode("utf-8", "replace").decode("utf-8")
    if not clean.strip():
        return None
    try:
        return html.document_fromstring(clean, parser=html.HTMLParser(huge_tree=True))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return None


def _unseen(element: html.HtmlElement) -> bool:
    if not isinstance(element.tag, str):
        return True  # comments and processing instructions
    if element.tag in ("script", "style", "head", "title", "template", "noscript", "object", "iframe"):
        return True
    return element.get("hidden") is not None or bool(_HIDDEN.search(element.get("style") or ""))


def _signature(element: html.HtmlElement) -> bool:
    return any(name in (element.get("class") or "").lower() for name in _SIGNATURE_CLASSES)


def _drop_history(root: html.HtmlElement) -> None:
    """Drop quoting blocks and their introductions. Own words around or between them stay."""
    for element in list(root.iter("div", "blockquote", "p", "span")):
        classes = (element.get("class") or "").lower()
        cited = element.tag == "blockquote" and (
            element.get("type") == "cite" or element.get("cite") is not None or "quote" in classes
        )
        if cited or any(name in classes for name in _HISTORY_CLASSES):
            _drop(element)


def _drop(element: html.HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _too_deep(root: html.HtmlElement) -> bool:
    """Walk without recursion, for the depth is the sender's choice."""
    stack = [(root, 0)]
    while stack:
        element, depth = stack.pop()
        if depth > _DEPTH:
            return True
        stack.extend((child, depth + 1) for child in element)
    return False


def _squeeze(text: str) -> str:
    text = text.replace("\u00a0", " ").replace("\u200b", "").replace("\u200c", "").replace("\ufeff", "")
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
