"""Words that mail programs and writers put around a message, in the languages we read."""

import re

_FLAGS = re.IGNORECASE

# Header words as mail programs translate them when they quote a message: sender, sent, to, copy, subject, date.
_SENDER_WORDS = (
    r"from|von|de|da|van|från|fra|od|от|кому|差出人|送信者|发件人|寄件者|寄件人|發件人|보낸 ?사람|보낸이|من|expéditeur|remitente|mittente|"
    r"remetente|afzender|absender"
)
_OTHER_WORDS = (
    r"sent|date|to|cc|subject|reply-to|gesendet(?: am)?|datum|an|betreff|kopie|envoyé(?: le)?|à|objet|enviado(?: el| em)?|fecha|data|para|asunto|"
    r"assunto|inviato|a|oggetto|verzonden|aan|onderwerp|отправлено|дата|кому|копия|тема|送信日時|日時|日付|宛先|件名|"
    r"发送时间|时间|日期|收件人|抄送|主题|主旨|傳送時間|보낸 ?날짜|날짜|받는 ?사람|받는이|참조|제목|"
    r"تاريخ(?: الإرسال)?|التاريخ|إلى|نسخة|الموضوع|skickat|till|ämne|sendt|til|emne|wysłano|do|temat"
)
HEADER_LINE = re.compile(rf"^\W{{0,4}}(?:{_SENDER_WORDS}|{_OTHER_WORDS})\s*\*?\s*[:：]\s*\*?\s*\S", _FLAGS)
SENDER_LINE = re.compile(rf"^\W{{0,4}}(?:{_SENDER_WORDS})\s*\*?\s*[:：]\s*\*?\s*\S", _FLAGS)

RULE_LINE = re.compile(
    r"^\s*[-_=—–]{2,}\s*(?:original message|original-nachricht|ursprüngliche nachricht|message d'origine|message original|"
    r"mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht|исходное сообщение|пересылаемое сообщение|"
    r"元のメッセージ|original ?メッセージ|原始邮件|原始郵件|邮件原件|원본 메시지|원본메일|الرسالة الأصلية|forwarded message|"
    r"weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|mensagem encaminhada|"
    r"doorgestuurd bericht|転送メッセージ|转发邮件|전달된 메시지|رسالة معاد توجيهها)\W*$"
    r"|^\s*(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message réexpédié|"
    r"inicio del mensaje reenviado|inizio messaggio inoltrato|início da mensagem encaminhada|begin doorgestuurd bericht|"
    r"начало переадресованного сообщения|転送されたメッセージ)\s*[:：]?\s*$",
    _FLAGS,
)
FORWARD_MARK = re.compile(
    r"forwarded message|weitergeleitete|transféré|réexpédié|reenviado|inoltrato|encaminhada|doorgestuurd|пересылаемое|"
    r"переадресованного|転送|转发|전달된|معاد توجيهها",
    _FLAGS,
)
LONG_RULE = re.compile(r"^\s*_{10,}\s*$")

# "On Monday Ann wrote:": the verb alone is not enough, see the rule that uses it.
WROTE = re.compile(
    r"\b(?:wrote|schrieb|geschrieben|a écrit|escribió|ha scritto|scrisse|escreveu|schreef|skrev|napisał|пишет|написал\(?а?\)?|"
    r"писал|написала)\b|のメール|書きました|のメッセージ|写道|寫道|写了|님이 작성|작성:|كتب",
    _FLAGS,
)
HAS_TIME_OR_DATE = re.compile(
    r"\d{1,2}[:.h時时]\s?\d{2}|\b(?:19|20)\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}\s?[年년]|[٠-٩]{2,4}"
)
HAS_ADDRESS = re.compile(r"<[^<>\s]+@[^<>\s]+>|[\w.+-]+@[\w-]+\.\w+|<[^<>\n]{3,60}>")

SENT_FROM = re.compile(
    r"^\W*(?:sent (?:from|via|with) (?:my |the )?\w+|sent with \w+|get outlook for|von meine[mr] \w+ gesendet|von unterwegs gesendet|gesendet (?:von|mit) (?:meine[mr]|outlook)|"
    r"envoyé (?:de|depuis) mon|envoyé à partir|envoyé de mon|depuis mon téléphone|enviado desde mi|enviado do meu|inviato da(?:l mio)? ?\w|verstuurd vanaf|verzonden vanaf|"
    r"отправлено с|iphoneから送信|私の\w+から送信|发自我的|從我的 ?\w+ ?傳送|나의 \w+에서 보냄|내 \w+에서 보냄|أُ?رسلت? من|"
    r"holen sie sich outlook|obtenez outlook|outlook für|outlook pour)",
    _FLAGS,
)

LEGAL = re.compile(
    r"(?:this (?:e-?mail|message|communication)[^.]{0,80}(?:confidential|privileged|intended (?:only|solely))|"
    r"if you are not the intended recipient|the information (?:contained )?in this (?:e-?mail|message)|confidentiality notice|"
    r"please consider the environment|think before (?:you )?print|registered (?:office|in england)|company (?:registration )?(?:no|number)\b|"
    r"diese (?:e-?mail|nachricht)[^.]{0,80}vertraulich|vertrauliche informationen|nicht der richtige adressat|sitz der gesellschaft|"
    r"amtsgericht|handelsregister|geschäftsführ(?:er|ung)\s*:|"
    r"ce (?:message|courriel|mail)[^.]{0,100}(?:confidentiel|destin)|avis de confidentialité|pensez à l'environnement|"
    r"este (?:mensaje|correo)[^.]{0,100}(?:confidencial|dirigid)|aviso legal|antes de imprimir|"
    r"questo messaggio[^.]{0,100}(?:riservat|confidenzial)|le informazioni contenute|esta mensagem[^.]{0,100}confidencia|"
    r"(?:deze e-?mail|dit bericht)[^.]{0,100}vertrouwelijk|данное (?:сообщение|письмо)[^.]{0,80}конфиденциальн|"
    r"本邮件[^。]{0,40}(?:保密|机密)|このメール[^。]{0,40}機密|본 ?메일[^.]{0,40}(?:기밀|비밀)|سرية)",
    _FLAGS,
)
EXTERNAL_BANNER = re.compile(
    r"^\W*(?:caution|warning|external(?: e-?mail| sender)?|achtung|extern(?:e e-?mail)?|attention|externe|atención|atenção|attenzione|you don't often get "
    r"(?:e-?mail|messages) from)\b.{0,200}(?:outside|originated|external|extern|externe|externo|esterno|don't often|unknown sender|learn why)|"
    r"^\W*\[(?:external|extern|externe|ext)\]\W*$|^\W*you don't often get e-?mail from",
    _FLAGS,
)

CLOSING_WORDS = (
    r"(?:with )?(?:many thanks and |thanks and |thank you and )?(?:best|kind(?:est)?|warm(?:est)?|very best|all the best|regards|sincerely|"
    r"yours(?: sincerely| truly| faithfully)?|cheers|respectfully|cordially)(?: (?:regards|wishes))?|all the best|take care|br|rgds|"
    r"thanks (?:&|and) (?:best )?regards|best regards and thanks|(?:speak|talk|see you) soon|looking forward(?: to (?:hearing from you|it|your reply))?|have a (?:great|good|nice) (?:day|week|weekend|one)|"
    r"(?:mit )?(?:(?:vielen dank|danke|besten dank) und )?(?:(?:freundliche[nrm]?|viele[nr]?|beste[nr]?|herzliche[nr]?|schöne[nr]?|liebe[nr]?|sonnige[nr]?)\s)+"
    r"(?:grü(?:ß|ss)en?|gruß|gruss)(?: aus \w+)?|"
    r"(?:grü(?:ß|ss)en?|gruß|gruss)|mfg|vg|lg|bg|hochachtungsvoll|(?:danke|dank|besten dank|vielen dank) und (?:gruß|grüße|viele grüße)|bis bald|bis dann|"
    r"(?:bien )?(?:cordialement|à vous|amicalement)|(?:bien|très) cordialement|sincères salutations|salutations(?: distinguées)?|"
    r"meilleures salutations|(?:à|au) (?:bientôt|plaisir|très vite)|bonne (?:journée|soirée|fin de journée)|bien à vous|cdlt|belle journée|"
    r"(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|un saludo|saludos|hasta pronto|atte|un abrazo|quedo atent[oa]|"
    r"(?:cordiali|distinti|cari) saluti|un (?:cordiale|caro) saluto|saluti|buona giornata|"
    r"(?:com os )?(?:melhores|meus) cumprimentos|cumprimentos|atenciosamente|abraços?|att|"
    r"(?:met )?(?:vriendelijke|hartelijke|beste) groet(?:en|jes)?|groet(?:en|jes)?|mvg|gr|"
    r"с уважением|с наилучшими пожеланиями|всего доброго|"
    r"(?:どうぞ)?(?:宜しく|よろしく)(?:お願い(?:いた|致)?し(?:ます|申し上げます))?|以上|敬具|此致|敬礼|祝好|顺祝商祺|祝商祺|此致敬礼|"
    r"감사합니다|드림|안녕히 계세요|مع (?:خالص )?(?:تحياتي|التحية|الشكر)|تحياتي|أطيب التحيات"
)
CLOSING_LINE = re.compile(
    rf"^\W*(?:{CLOSING_WORDS})(?![a-zà-öø-ÿ])\s*[,.!;。、，]*\s*(?P<rest>[^\n]{{0,60}})$", _FLAGS
)
CLOSING_AT_END = re.compile(
    rf"(?<=[.!?…。！？)])\s+(?i:{CLOSING_WORDS})\s*[,.!]*(?:\s+[-–/]?\s?[A-ZÀ-Þ][\w.'-]*){{0,3}}\s*$"
)
THANKS_LINE = re.compile(
    r"^\W*(?:(?:many |kind )?thanks|thank you|thx|ta|(?:vielen |besten |herzlichen )?dank|danke(?: (?:dir|ihnen|schön))?|merci(?: (?:d'avance|beaucoup))?|(?:muchas )?gracias|"
    r"grazie(?: mille)?|obrigad[oa]|bedankt|(?:hartelijk )?dank|спасибо|谢谢|ありがとうございます|감사합니다|شكرا)(?: (?:so much|a lot|again|in advance|im voraus|vorab))?\s*[,.!]*$",
    _FLAGS,
)
# A line that says how to reach somebody, or a job and firm divided by bars.
CONTACT_LINE = re.compile(
    r"\+?\d[\d\s()/.-]{7,}\d|www\.|https?://|[\w.+-]+@[\w-]+\.\w|"
    r"^\s*(?:t|tel|m|mob|mobile|phone|fon|telefon|fax|f|e|e-mail|mail|web|tél|móvil|cell|direct|d|o)\s*[.:]|"
    r"\s[|·•]\s|\b(?:gmbh|ag|inc|ltd|llc|s\.?a\.?s?|s\.?l|s\.?r\.?l|s\.?p\.?a|b\.?v|kg|plc|corp|lda|ltda|k\.?k)\b\.?\s*$|株式会社|有限公司",
    _FLAGS,
)
JOB_LINE = re.compile(
    r"\b(?:ceo|cto|cfo|coo|cio|cmo|cro|ciso|chief|president|founder|owner|partner|director|head|vp|vice president|manager|lead|engineer|"
    r"analyst|assistant|officer|geschäftsführer(?:in)?|leiter(?:in)?|vorstand|inhaber(?:in)?|referent(?:in)?|sachbearbeiter(?:in)?|"
    r"prokurist(?:in)?|directeur|directrice|responsable|gérante?|pdg|chargée?|jefe|jefa|gerente|directora|consejero|"
    r"direttore|direttrice|responsabile|amministratore|diretora?|coordenador|hoofd|directeur|bestuurder|einkauf|vertrieb|sales|marketing|"
    r"procurement|operations|finance)\b|директор|руководитель|менеджер|部長|課長|社長|代表取締役|总监|经理|总裁|대표|부장|팀장|이사|مدير|رئيس",
    _FLAGS,
)
