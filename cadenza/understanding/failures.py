"""Why a message was not delivered: RFC 3463 status codes and the words of servers."""

import re

from cadenza.understanding.contracts import FailureType

STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_FLAGS = re.IGNORECASE

_FULL = re.compile(
    r"(?:mailbox|inbox)[\w \"'<>@.-]{0,60}? full\b|full (?:mailbox|inbox)|over ?quota|quota (?:exceeded|is full)|exceeded (?:the )?(?:storage|quota)|"
    r"insufficient (?:system )?storage|out of storage|"
    r"(?:postfach|mailbox)[\w \"'<>@.-]{0,60}? (?:voll|überfüllt|ausgelastet)|(?:volles|überfülltes) postfach|speicherplatz|"
    r"boîte[\w '’\"<>@.-]{0,60}? pleine|buz[oó]n[\w \"'<>@.-]{0,60}? llen[oa]|caixa[\w \"'<>@.-]{0,60}? cheia|casella[\w '’\"<>@.-]{0,60}? piena|"
    r"(?:mailbox|postvak)[\w \"'<>@.-]{0,60}? vol\b|容量|いっぱい|已满|超出.{0,4}配额|переполнен|가득",
    _FLAGS,
)
_DEAD = re.compile(
    r"(?:user|recipient|mailbox|address|account|e-?mail|alias)[\w \"'<>@.-]{0,60}?(?:unknown|not (?:be )?found|does ?n[o']t exist|doesn't exist|"
    r"does not have|invalid|no longer (?:exists|active|available|valid|in use)|not exist|not listed|disabled|inactive|suspended|deactivated|"
    r"deleted|closed|rejected: user|unrouteable)|"
    r"(?:no such|unknown|invalid|unrouteable|nonexistent|inactive|bad) (?:user|recipient|mailbox|address|account|local part|person|domain|host)|"
    r"no mailbox here|address rejected(?!.{0,40}(?:spam|policy|blocked|greylist))|user doesn't have|not a (?:valid|known) (?:mailbox|user|recipient)|couldn['’]t be found|"
    r"wasn['’]t found|address (?:couldn['’]t|could not) be|account that you tried to reach|has moved|moved permanently|"
    r"domain (?:name )?(?:not found|does not exist|is invalid)|host (?:or domain name )?not found|name or service not known|nxdomain|"
    r"no (?:mx|mail server)|null ?mx|does not accept (?:e-?)?mail|unbekannt|existiert nicht|nicht (?:gefunden|vorhanden)|"
    r"gibt es nicht|nicht mehr gültig|konnte nicht gefunden|n['’]existe pas|introuvable|inconnu|no existe|desconocid|non esiste|sconosciut|não existe|"
    r"inexistente|bestaat niet|onbekend|не существует|не найден|存在しません|見つかりません|宛先不明|不明です|不存在|找不到|存在しない|존재하지|찾을 수 없",
    _FLAGS,
)
_POLICY = re.compile(
    r"blocked|block ?list|black ?list|spamhaus|barracuda|rbl|dnsbl|reputation|dmarc|\bspf\b|dkim|authenticat|unauthenticated|policy|"
    r"access denied|not (?:authori[sz]ed|permitted|allowed)|relay(?:ing)? (?:access )?denied|banned|rate limit|too many|ptr record|"
    r"reverse dns|administrative(?:ly)? prohibit|sender (?:address )?(?:rejected|verify)|restricted|delivery not authori[sz]ed|"
    r"richtlinie|abgelehnt|gesperrt|interdit|bloqué|bloquead|拒否|被拒绝|거부",
    _FLAGS,
)
_CONTENT = re.compile(
    r"spam|virus|malware|content|attachment|message (?:is )?too (?:large|big)|size (?:limit|exceed)|exceeds (?:the )?(?:maximum )?size|"
    r"message size|phish|prohibited file|suspicious|url (?:in|listed)|too large|zu groß|anhang|trop volumineux|demasiado grande|大きすぎ|サイズ|垃圾邮件",
    _FLAGS,
)
_DELAY = re.compile(
    r"delay(?:ed)?\b|still (?:being )?(?:tr(?:y|ied)|attempt)|will (?:continue|keep|be) (?:to )?(?:try|retry|re)|not yet been delivered|temporar|"
    r"warning: (?:could not|message)|verzögert|noch nicht zugestellt|wird weiter versucht|retard|différé|se ha retrasado|遅延|遅れ|延迟|지연",
    _FLAGS,
)
_EXPIRED = re.compile(
    r"expired|timed? ?out|timeout|connection refused|too long|no route|unreachable|greylist|try again later|retry|loop|hops|4\.4\.7|queue|"
    r"ausgefallen|zeitüberschreitung|nicht erreichbar|délai|agotado",
    _FLAGS,
)

# Status after its class: what the code itself says; text may know better where the code is general.
_BY_STATUS = {
    "1.1": FailureType.HARD, "1.2": FailureType.HARD, "1.3": FailureType.HARD, "1.4": FailureType.HARD,
    "1.6": FailureType.HARD, "1.10": FailureType.HARD, "2.1": FailureType.HARD, "4.4": FailureType.HARD,
    "4.310": FailureType.HARD, "4.312": FailureType.SOFT, "4.300": FailureType.SOFT, "4.316": FailureType.SOFT,
    "2.2": FailureType.SOFT, "2.3": FailureType.CONTENT, "3.4": FailureType.CONTENT, "3.1": FailureType.SOFT,
    "3.2": FailureType.SOFT, "4.6": FailureType.SOFT, "4.14": FailureType.SOFT, "4.7": FailureType.SOFT,
    "1.7": FailureType.POLICY, "1.8": FailureType.POLICY,
}  # fmt: skip
_VAGUE = ("0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "7.1", "7.0", "4.1", "7.7")


def failure_type(status: str | None, text: str, *, action: str = "") -> FailureType:
    """The type of one failed recipient from its status, the server's words and the DSN's action."""
    text = text[:4_000]
    if action == "delayed" or (
        action != "failed" and not status and _DELAY.search(text) and not _DEAD.search(text)
    ):
        return FailureType.DELAYED
    kind, _, detail = (status or "").partition(".")
    if kind == "4" and action != "failed" and _DELAY.search(text):
        return FailureType.DELAYED
    if detail in _BY_STATUS:
        found = _BY_STATUS[detail]
        return FailureType.SOFT if kind == "4" and found is FailureType.HARD else found
    if detail and detail not in _VAGUE:
        by_subject = {"6": FailureType.CONTENT, "7": _policy_or_content(text)}.get(detail.partition(".")[0])
        if by_subject:
            return by_subject
    return _by_words(kind, detail, text)


def _policy_or_content(text: str) -> FailureType:
    return (
        FailureType.CONTENT
        if _CONTENT.search(text) and not _STRONG_POLICY.search(text)
        else FailureType.POLICY
    )


_STRONG_POLICY = re.compile(
    r"spamhaus|block ?list|blacklist|reputation|dmarc|\bspf\b|dkim|authenticat|banned|client host|\bip\b",
    _FLAGS,
)


def _by_words(kind: str, detail: str, text: str) -> FailureType:
    if _FULL.search(text):
        return FailureType.SOFT
    if _DEAD.search(text) and not _STRONG_POLICY.search(text):
        return FailureType.SOFT if kind == "4" else FailureType.HARD
    if detail == "4.1" and kind == "5":
        return FailureType.HARD  # Exchange Online says so for unknown recipients
    if _CONTENT.search(text) and not _STRONG_POLICY.search(text):
        return FailureType.CONTENT
    if detail.startswith("7.") or _POLICY.search(text):
        return FailureType.POLICY
    if kind == "4" or _EXPIRED.search(text) or _DELAY.search(text):
        return FailureType.SOFT
    return FailureType.HARD if detail.startswith("1.") and kind == "5" else FailureType.UNKNOWN
