"""Values that a text names: money, vendors, questions, criteria, deadlines."""

import re
from dataclasses import dataclass

from cadenza.understanding import cues
from cadenza.understanding.contracts import Budget, DealSize
from cadenza.understanding.cues import Span

_CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "евро": "EUR", "ユーロ": "EUR", "欧元": "EUR", "유로": "EUR", "$": "USD",
    "usd": "USD", "us$": "USD", "dollar": "USD", "dollars": "USD", "美元": "USD", "달러": "USD", "£": "GBP", "gbp": "GBP", "pounds": "GBP",
    "chf": "CHF", "franken": "CHF", "sfr": "CHF", "¥": "JPY", "jpy": "JPY", "円": "JPY", "元": "CNY", "人民币": "CNY", "rmb": "CNY",
    "cny": "CNY", "₩": "KRW", "krw": "KRW", "원": "KRW", "руб": "RUB", "₽": "RUB", "r$": "BRL", "reais": "BRL", "brl": "BRL",
    "sek": "SEK", "nok": "NOK", "dkk": "DKK", "pln": "PLN", "zł": "PLN", "aed": "AED", "sar": "SAR", "ريال": "SAR", "inr": "INR", "₹": "INR",
}  # fmt: skip
_NAMES = "|".join(sorted((re.escape(name) for name in _CURRENCIES), key=len, reverse=True))
_SCALES = {"k": 1e3, "tsd": 1e3, "thousand": 1e3, "mil": 1e3, "тыс": 1e3, "m": 1e6, "mio": 1e6, "mn": 1e6, "million": 1e6, "millions": 1e6, "millionen": 1e6, "万": 1e4, "만": 1e4, "億": 1e8, "亿": 1e8}  # fmt: skip
_SCALE = "|".join(sorted(_SCALES, key=len, reverse=True))
_MONEY = re.compile(
    rf"(?P<before>{_NAMES})\s?(?P<a>\d[\d.,' \u202f]*\d|\d)\s?(?P<sa>(?:{_SCALE})(?!\w))?|"
    rf"(?P<b>\d[\d.,' \u202f]*\d|\d)\s?(?P<sb>{_SCALE})?\.?\s?(?P<after>(?:{_NAMES}))(?!\w)|(?P<c>\d[\d.,]*)\s?(?P<sc>k)\b",
    re.IGNORECASE,
)
_BUDGET_WORDS = re.compile(
    r"budget|spend|afford|up to|at most|maximum|no more than|limit|approved|set aside|available|ceiling|obergrenze|maximal|höchstens|bis zu|ausgeben|"
    r"zur verfügung|jusqu'à|maximum|dépenser|enveloppe|presupuesto|hasta|máximo|gastar|orçamento|fino a|massimo|tot|予算|预算|예산|бюджет|ميزانية",
    re.IGNORECASE,
)
_DEAL_WORDS = re.compile(
    r"deal|order|project|contract|volume|worth|auftrag|volumen|projekt|contrat|projet|proyecto|contrato|案件|项目",
    re.IGNORECASE,
)

_VENDORS = (
    "Salesforce", "HubSpot", "Outreach", "Salesloft", "Apollo", "Lemlist", "Instantly", "Smartlead", "Woodpecker", "Mailshake", "Reply.io",
    "Pipedrive", "Zoho", "Microsoft Dynamics", "Dynamics 365", "Dynamics", "SAP", "Oracle", "NetSuite", "Marketo", "Pardot", "Eloqua", "Mailchimp",
    "Brevo", "Sendinblue", "ActiveCampaign", "Klaviyo", "Gong", "Chorus", "Clari", "ZoomInfo", "Cognism", "Lusha", "Clearbit", "LinkedIn Sales Navigator",
    "Sales Navigator", "Intercom", "Zendesk", "Freshworks", "Freshsales", "Drift", "Monday.com", "Asana", "Jira", "Notion", "Airtable", "Odoo",
    "Workday", "ServiceNow", "DATEV", "Personio", "Mixmax", "Yesware", "Groove", "Cirrus Insight", "Close.io", "Copper", "Keap", "Sellsy", "Holded",
    "Sansan", "Kintone", "Bitrix24", "amoCRM", "Kommo", "CentralStationCRM", "Dialfire", "Echobot", "Dealfront", "Snov.io", "QuickMail", "Klenty", "Amplemarket",
)  # fmt: skip
_VENDOR = re.compile(
    r"(?<![\w@.])(?:"
    + "|".join(re.escape(name) for name in sorted(_VENDORS, key=len, reverse=True))
    + r")(?![\w@])"
)
_USES = re.compile(
    r"\b(?i:(?:we|i|they)(?:['’]re| are)? (?:already |currently |still |just |now )?(?:use|using|chose|signed with|work(?:ing)? with|went with|moved to|switched to|bought|run|happy with|evaluating|looking at)|"
    r"happy with|satisfied with|customers? of|signed (?:up )?with|switch(?:ed|ing)? (?:to|from)|compar(?:ed|ing) (?:you )?(?:to|with)|instead of|cheaper than|better than|"
    r"(?:arbeiten|sind|nutzen|setzen|verwenden) (?:wir )?(?:bereits |derzeit |schon |aktuell |zufrieden )*(?:mit|auf)?|zufrieden mit|wechsel (?:zu|von)|im vergleich zu|"
    r"(?:utilisons|travaillons avec|utilise|sommes chez|satisfaits? de)(?: déjà)?|(?:usamos|utilizamos|trabajamos con|contentos con)(?: ya)?|"
    r"(?:usiamo|utilizziamo|lavoriamo con)(?: già)?|(?:usamos|trabalhamos com)|(?:gebruiken|werken met)(?: al)?)\s+"
    r"((?:[A-Z][A-Za-z0-9]{2,}|[a-z]+[A-Z]\w+)(?:\s[A-Z][A-Za-z0-9]+){0,2}(?:\.io|\.com|\.ai)?)"
)
_NO_VENDORS = {
    "The",
    "Our",
    "Excel",
    "Google",
    "They",
    "Sie",
    "Wir",
    "Ihr",
    "Ihnen",
    "You",
    "Your",
    "This",
    "That",
    "Microsoft Teams",
    "Teams",
    "Zoom",
    "Outlook",
    "LinkedIn",
}
_CRITERIA = {
    "price": "price", "security": r"security|sicherheit|sécurité|seguridad|セキュリティ|安全", "integration": r"integrat\w+|schnittstelle\w*|intégration\w*|連携|集成|연동",
    "support": r"support|betreuung|accompagnement|soporte|サポート", "ease_of_use": r"easy to use|usability|benutzerfreundlich\w*|simple à utiliser|fácil de usar|使いやす|易用",
    "hosting": r"on[- ]prem\w*|hosting|hosted|self[- ]host\w*|serverstandort|héberg\w+|servidores|オンプレ|本地部署", "references": r"references?|referenzen|références|referencias|case stud\w+|事例|案例",
    "compliance": r"iso ?27001|soc ?2|gdpr|dsgvo|rgpd|compliance|certif\w+|zertifi\w+", "scalability": r"scal(?:e|able|ability)\w*|skalier\w+", "time": r"rollout|time to value|einführung|déploiement|implantación",
}  # fmt: skip
_TERMS = re.compile(
    r"\b(?:API|SSO|SAML|SCIM|CRM|ERP|ROI|TCO|SLA|MSA|DPA|NDA|RFP|RFQ|ARR|MRR|CAC|LTV|SDR|BDR|ICP|MQL|SQL|KPI|SaaS|GDPR|DSGVO|RGPD|ISO ?27001|SOC ?2|on[- ]prem(?:ise)?|webhooks?|churn|pipeline|RevOps|EDI|MES|PLM|WMS|BI|ETL|POC|PoC|pilot|go[- ]live)\b"
)
_DEADLINE = re.compile(
    r"decid\w+|decision|choose|pick a vendor|go[- ]live|deadline|sign (?:by|before)|entscheid\w+|frist|décid\w+|décision|choix|decidi\w+|decisión|決定|决定|결정|реш\w+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FoundMoney:
    amount: float
    currency: str | None
    start: int
    end: int


def find_money(text: str) -> list[FoundMoney]:
    """Amounts with a currency, or with "k"; grouping and decimals as any of our languages writes them."""
    found = []
    for match in _MONEY.finditer(text[:20_000]):
        digits = match["a"] or match["b"] or match["c"]
        scale = _SCALES.get((match["sa"] or match["sb"] or match["sc"] or "").lower(), 1.0)
        currency = _CURRENCIES.get((match["before"] or match["after"] or "").lower())
        amount = read_number(digits)
        if amount is not None and (currency or match["sc"]):
            found.append(FoundMoney(amount * scale, currency, *match.span()))
    return found


def read_number(digits: str) -> float | None:
    """25,000 and 25.000 and 25 000 are the same; 1.5 and 1,50 have decimals."""
    plain = re.sub(r"[ '\u202f]", "", digits).strip(".,")
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", plain):
        plain = re.sub(r"[.,]", "", plain)
    else:
        head, _, tail = plain.replace(",", ".").rpartition(".")
        plain = f"{head.replace('.', '')}.{tail}" if head else tail
    try:
        return float(plain) if len(plain) < 15 else None
    except ValueError:
        return None


def find_budget(text: str) -> tuple[Budget, Span] | None:
    """Money in a sentence that speaks of what can be spent; of a range the upper end."""
    for start, end in cues.sentences(text):
        sentence = text[start:end]
        money = find_money(sentence)
        if money and _BUDGET_WORDS.search(sentence):
            top = max(money, key=lambda item: item.amount)
            currency = top.currency or next((item.currency for item in money if item.currency), None)
            return Budget(top.amount, currency), (start + top.start, start + top.end)
    return None


def find_deal_size(text: str) -> DealSize | None:
    for start, end in cues.sentences(text):
        money = find_money(text[start:end])
        if money and _DEAL_WORDS.search(text[start:end]):
            amounts = [item.amount for item in money]
            return DealSize(
                min(amounts), max(amounts), next((item.currency for item in money if item.currency), None)
            )
    return None


def find_competitors(text: str, own_names: frozenset[str] = frozenset()) -> list[tuple[str, Span]]:
    """Known vendors, and names after words of use; each once, in order."""
    found = [(match.group(), match.span()) for match in _VENDOR.finditer(text)]
    for match in _USES.finditer(text):
        name = match.group(1)
        if name.split()[0] not in _NO_VENDORS and not any(
            a < match.end(1) and match.start(1) < b for _, (a, b) in found
        ):
            found.append((name, match.span(1)))
    found.sort(key=lambda item: item[1])
    unique = {name.lower(): (name, span) for name, span in reversed(found) if name.lower() not in own_names}
    return sorted(unique.values(), key=lambda item: item[1])


_ASKS_WITHOUT_MARK = re.compile(
    r"^(?:(?:and |so |but )?(?:can|could|would|will) you (?:please |also )?(?:send|share|tell|explain|confirm|provide|let)|(?:können|könnten) sie|pouvez[- ]vous|(?:puede|podría)s?\b|¿)|(?:ですか|でしょうか|ますか|ませんか)[。]?$|(?:吗|呢)[。]?$|(?:나요|까요|습니까)[.]?$",
    re.IGNORECASE,
)


def find_questions(text: str) -> list[Span]:
    """Sentences that ask us something."""
    return [
        (start, end)
        for start, end in cues.sentences(text)
        if text[start:end].rstrip(" )\"'”»").endswith(("?", "？", "؟"))
        or _ASKS_WITHOUT_MARK.search(text[start:end])
    ]


def find_criteria(text: str) -> tuple[str, ...]:
    return tuple(
        name
        for name, pattern in _CRITERIA.items()
        if re.search(rf"(?<!\w)(?:{pattern})", text, re.IGNORECASE)
    )


def find_terms(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(match.group() for match in _TERMS.finditer(text)))[:20]


def speaks_of_deadline(text: str, place: int) -> bool:
    """The sentence around a place speaks of a decision."""
    return any(
        start <= place < end and _DEADLINE.search(text[start:end]) for start, end in cues.sentences(text)
    )
