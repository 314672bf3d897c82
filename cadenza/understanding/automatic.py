"""Mail that no person wrote: told from headers, from the subject's own mark and from the new words.

Our quoted words and our subject after "Re:" never count: an answer to "Out of office?" is an answer.
"""

import re
from collections.abc import Mapping, Sequence

from cadenza.understanding.contracts import MailKind

_FLAGS = re.IGNORECASE
_ABSENT_SUBJECT = re.compile(
    r"^\W*(?:(?:automatic reply|auto(?:matic)?[- ]?reply|auto[- ]?response)\s*[:：-]?\s*)?(?:out of (?:the )?office|ooo\b|away from|on (?:vacation|leave|holiday)|"
    r"abwesenheit|abwesend|nicht im büro|absence|absent|fuera de (?:la )?oficina|ausencia|assenza|fuori ufficio|ausência|afwezig|"
    r"niet aanwezig|вне офиса|отсутств|不在|休暇|外出|부재|휴가|休假|خارج المكتب)",
    _FLAGS,
)
_AUTO_SUBJECT = re.compile(
    r"^\W*(?:automatic reply|auto(?:matic|mated)?[- ]?(?:reply|response|answer)|autoreply|automatische (?:antwort|rückmeldung)|"
    r"réponse automatique|respuesta automática|risposta automatica|resposta automática|automatisch antwoord|автоответ|"
    r"автоматический ответ|自动回复|自動回覆|自動返信|자동 ?(?:회신|응답)|رد تلقائي|eingangsbestätigung|"
    r"(?:your )?(?:ticket|case|request)\b.{0,40}(?:received|created|opened|#\d)|\[?(?:ticket|case|request|vorgang)\s?(?:id)?\s?[#:]\s?\w+)",
    _FLAGS,
)
_ABSENT_WORDS = re.compile(
    r"\b(?:(?:i am|i'm|i’m|i will be|i'll be|am|will be|currently) (?:currently |now |presently )?(?:out of (?:the )?office|out of office|on (?:annual |parental |maternity |paternity |sick |medical )?(?:leave|vacation|holidays?|pto)|"
    r"away (?:from|until|on)|travell?ing (?:until|with (?:limited|little|no)))|(?:with |have )?(?:limited|little|no|only occasional) access to (?:my )?e-?mail|not (?:be )?checking (?:my )?e-?mails?|out of office|ooo until|limited access to (?:my )?e-?mail|"
    r"(?:ich bin|bin ich|befinde ich mich|bin|wir sind)[^!?\n]{0,60}(?:nicht im (?:büro|haus|dienst)|im urlaub|abwesend|außer haus|in elternzeit|in mutterschutz|krank|nicht erreichbar)|"
    r"(?:ich bin|bin ich) (?:erst )?(?:wieder )?(?:ab|am)[^!?\n]{0,30} (?:wieder )?(?:erreichbar|im büro|da)|abwesenheitsnotiz|lese (?:ich )?(?:meine )?(?:e-?)?mails nur (?:selten|unregelmäßig|eingeschränkt)|(?:auf|in) (?:dienst|geschäfts)reise und|meine e-?mails werden nicht|"
    r"(?:je suis|je serai)[^!?\n]{0,40}(?:absente?|en congés?|en vacances|en déplacement|hors du bureau|en arrêt)|actuellement absente?|consulte (?:peu|rarement) (?:ma messagerie|mes (?:e-?)?mails|mes courriels)|ne lis pas mes (?:e-?mails|courriels|messages)|(?:de nouveau|à nouveau) joignable|"
    r"(?:estoy|estaré|me encuentro|me encontraré)[^!?\n]{0,40}(?:fuera de (?:la )?oficina|de vacaciones|ausente|de baja|de permiso)|"
    r"(?:sono|sarò)[^!?\n]{0,40}(?:fuori ufficio|in ferie|assente|in vacanza|fuori sede)|"
    r"(?:estou|estarei|encontro-me)[^!?\n]{0,40}(?:fora do escritório|de férias|ausente|de licença)|"
    r"(?:ik ben|ben ik)[^!?\n]{0,50}(?:afwezig|met vakantie|op vakantie|niet aanwezig|niet op kantoor|met verlof)|"
    r"(?:я|меня)[^!?\n]{0,40}(?:в отпуске|отсутству\w+|не в офисе|не будет в офисе)|нахожусь в отпуске)\b|"
    r"休暇(?:を|の|中|の?ため|いただ)|不在に|不在(?:です|にして|となり|のため|中)|(?:正在)?休假|不在办公室|外出中|휴가 ?(?:중|입니다|기간)|부재 ?중|자리를 비|خارج المكتب|في إجازة|إجازة",
    _FLAGS,
)
_MACHINE_WORDS = re.compile(
    r"\b(?:this is an auto(?:mated|matic)|do not reply to this|please do not reply|automatically generated|auto-?generated|"
    r"(?:mailbox|inbox|e-?mail address) is (?:not|no longer) (?:monitored|in use|active|checked|read)|unmonitored|no longer monitored|(?:mailbox|inbox) is not monitored|"
    r"(?:your )?(?:ticket|case|request|enquiry|inquiry) (?:number |id |#)?[\w# -]{0,20}(?:has been|was) (?:received|created|opened|logged|registered)|"
    r"we have received your (?:e-?mail|message|request|enquiry|inquiry)|we(?:'ve| have) received your (?:message|request|email)|"
    r"(?:dies ist eine )?automatisch (?:generierte|erzeugte|erstellte)|automatische (?:antwort|nachricht)|bitte antworten sie nicht auf diese|"
    r"ihre (?:anfrage|e-?mail|nachricht) ist (?:bei uns )?eingegangen|postfach wird nicht (?:mehr )?(?:gelesen|betreut|abgerufen)|diese e-?mail-?adresse (?:wird|ist) nicht mehr|"
    r"(?:ceci est une )?réponse automatique|ne pas répondre à ce|message automatique|votre demande a (?:bien )?été (?:enregistrée|reçue|prise)|cette adresse n'est (?:plus|pas)|"
    r"respuesta automática|mensaje (?:automático|generado)|no responda a este|hemos recibido su (?:mensaje|solicitud|consulta)|este buzón no|"
    r"risposta automatica|messaggio automatico|non rispondere a questa|resposta automática|mensagem automática|não responda|"
    r"automatisch (?:bericht|antwoord|gegenereerd)|wij hebben uw (?:e-?mail|bericht|aanvraag) ontvangen|автоматическ\w+ (?:ответ|уведомлени\w+|сообщени\w+)|не отвечайте на это)\b|"
    r"自動(?:返信|配信|送信|応答)|自动回复|自动发送|자동 ?(?:회신|발송|응답)|رد تلقائي|رسالة آلية",
    _FLAGS,
)
_ENGAGES = re.compile(
    r"\?|？|؟|\b(?:let['’]?s|lass uns|lassen sie uns|parlons|hablemos|sentiamoci|laten we|vamos)\b", _FLAGS
)
_NO_REPLY = re.compile(
    r"^(?:no-?_?reply|do-?_?not-?_?reply|nicht-?antworten|ne-?pas-?repondre|noreply|donotreply)[\w.+-]*@",
    _FLAGS,
)
_DAEMON = re.compile(
    r"^(?:mailer-?daemon|postmaster|mail-?daemon|mdaemon|bounces?|mail-?deliver\w*|mailerdaemon|microsoftexchange[0-9a-f]{20,})(?:[+=-][^@]*)?@|^(?:mailer-daemon|postmaster)$",
    _FLAGS,
)
_FAILED_SUBJECT = re.compile(
    r"^\W*(?:undeliver(?:able|ed)|delivery (?:status notification|failure|has failed|notification|incomplete)|mail delivery (?:failed|failure|system)|"
    r"returned mail|failure notice|message (?:not delivered|undeliverable)|delivery delayed|warning: (?:could not|message)|undelivered mail|mail system error|non[- ]?delivery|"
    r"unzustellbar|nicht zustellbar|zustellung (?:fehlgeschlagen|verzögert)|mail konnte nicht|fehler bei der zustellung|échec de la remise|non remis|"
    r"message non distribué|no se (?:puede|pudo) entregar|no entregado|mancato recapito|impossibile recapitare|não (?:foi )?entreg|"
    r"onbestelbaar|не доставлено|недоставлен|配信(?:不能|エラー|できません)|未配信|送信できません|退信|无法(?:投递|送达)|系统退信|배달 ?(?:실패|되지)|전송 ?실패|تعذر)",
    _FLAGS,
)


def is_daemon(address: str) -> bool:
    """A mail system's own address."""
    return bool(_DAEMON.match(address))


def is_failure_subject(subject: str) -> bool:
    return bool(_FAILED_SUBJECT.match(subject))


def is_no_reply(address: str) -> bool:
    return bool(_NO_REPLY.match(address))


def headers_say_automatic(headers: Mapping[str, Sequence[str]]) -> bool:
    """RFC 3834 and what servers used before it. X-Auto-Response-Suppress alone is set by people's servers too."""
    low = {name.lower(): " ".join(values).strip().lower() for name, values in headers.items()}
    submitted = low.get("auto-submitted", "no").partition(";")[0].strip()
    if submitted.startswith("auto-"):
        return True
    if low.get("precedence") in ("auto_reply", "auto-reply", "autoreply"):
        return True
    if any(
        name in low
        for name in (
            "x-autoreply",
            "x-autorespond",
            "x-autoresponder",
            "x-auto-reply",
            "x-autoreply-from",
            "x-mail-autoreply",
        )
    ):
        return low.get("x-autoreply", "yes") not in ("no", "false")
    return "vacation" in low.get("x-mailer", "") or low.get("x-ms-exchange-inbox-rules-loop", "") != ""


def automatic_kind(
    subject: str, text: str | None, headers: Mapping[str, Sequence[str]], from_email: str = ""
) -> MailKind | None:
    """``OUT_OF_OFFICE``, ``AUTO_REPLY``, ``BOUNCE`` or None for a person's own words. ``text`` is the new text."""
    words = (text or "")[:3_000]
    by_headers = headers_say_automatic(headers)
    if is_daemon(from_email) or (is_failure_subject(subject) and (by_headers or is_no_reply(from_email))):
        return MailKind.BOUNCE
    if (
        by_headers
        or is_no_reply(from_email)
        or _AUTO_SUBJECT.match(subject)
        or _ABSENT_SUBJECT.match(subject)
    ):
        absent = _ABSENT_WORDS.search(words) or _ABSENT_SUBJECT.match(subject)
        if by_headers or absent or _AUTO_SUBJECT.match(subject) or is_no_reply(from_email):
            return MailKind.OUT_OF_OFFICE if absent else MailKind.AUTO_REPLY
    if _ABSENT_WORDS.search(words[:600]) and not _ENGAGES.search(words):
        return MailKind.OUT_OF_OFFICE
    return MailKind.AUTO_REPLY if _MACHINE_WORDS.search(words) and not _ENGAGES.search(words) else None


def absence_evidence(text: str) -> tuple[int, int] | None:
    """Where the text says that somebody is away or that a machine wrote it."""
    found = _ABSENT_WORDS.search(text) or _MACHINE_WORDS.search(text)
    return found.span() if found else None
