"""Words of days, clocks and periods in further languages; the signs are explained in ``calendar_words``."""

MORE_WORDS = {
    "it": """
R 0 oggi
R 1 domani
R 2 dopodomani
X 0 prossim[oaie]|che viene
T 0 quest[oa]
U D giorn[oi]
U W settiman[ae]
U M mes[ei]
U Q trimestr[ei]
U Y ann[oi]
I 0 tra|fra|a|in|ad
B 1 fino al?|fino a|al
i 1 compreso|incluso
A 0 dopo(?: il| la)?
F 0 dal|da|a partire dal?
V 0 prima del?
b 0 tra le|fra le
E 0 inizio|inizi di
E 1 metà
E 2 fine
P 9-12 mattin[ao]|in mattinata|mattinata
P 13-18 pomeriggio
P 18-21 sera
P 12-13 pranzo|pausa pranzo
P 17-18 fine giornata
P 9-18 tutto il giorno
Q 1 primo trimestre|q1
Q 2 secondo trimestre|q2
Q 3 terzo trimestre|q3
Q 4 (?:quarto|ultimo) trimestre|q4
N 1 un[ao]?
N 2 due
N 3 tre
N 4 quattro
N 5 cinque
N 6 sei
a 0 alle|ore|alle ore|verso le
| 0 o|oppure|e
! 0 ma|però|invece
S 0101 anno nuovo|nuovo anno
S 0901 autunno|l'estate|le ferie
""",
    "pt": """
R 0 hoje
R 1 amanhã
R 2 depois de amanhã
X 0 próxim[oa]s?|que vem|seguinte
T 0 est[ea]|nest[ea]
U D dias?(?: úteis)?
U W semanas?
U M m[eê]s(?:es)?
U Q trimestres?
U Y anos?
I 0 em|dentro de|daqui a
B 1 até(?: ao?| dia)?
B 1 ao?
i 1 inclusive
A 0 depois d[eoa]|após
F 0 a partir d[eoa]|desde|de
V 0 antes d[eoa]
b 0 entre
E 0 início d[eo]
E 1 meados de
E 2 fim d[eo]|final d[eo]
P 9-12 (?:de|da|pela) manhã|manhã
P 13-18 (?:à|de|da|pela) tarde|tarde
P 18-21 (?:à|de|da) noite|noite
P 12-13 almoço
P 17-18 fim do dia
Q 1 primeiro trimestre|q1
Q 2 segundo trimestre|q2
Q 3 terceiro trimestre|q3
Q 4 (?:quarto|último) trimestre|q4
N 1 uma?
N 2 dois|duas
N 3 três
N 4 quatro
N 5 cinco
N 6 seis
a 0 às|as|pelas
| 0 ou|e
! 0 mas|porém
S 0101 ano novo|novo ano
""",
    "nl": """
R 0 vandaag
R 1 morgen
R 2 overmorgen
X 0 volgende?|komende
T 0 deze|dit
U D (?:werk)?dag(?:en)?
U W we(?:ek|ken)
U M maand(?:en)?
U Q kwartaal|kwartalen
U Y jaar|jaren
I 0 over|binnen|in
B 1 tot en met|t/m
B 0 tot
A 0 na
F 0 vanaf|van|per
V 0 voor
b 0 tussen
E 0 begin
E 1 half|midden
E 2 eind(?:e)?
P 9-12 ochtend|'s ochtends|morgenochtend
P 13-18 middag|'s middags
P 18-21 avond
P 12-13 lunch(?:tijd)?
Q 1 (?:eerste) kwartaal|q1
Q 2 (?:tweede) kwartaal|q2
Q 3 (?:derde) kwartaal|q3
Q 4 (?:vierde|laatste) kwartaal|q4
N 1 een
N 2 twee
N 3 drie
N 4 vier
N 5 vijf
N 6 zes
a 0 om|rond
| 0 of|en
! 0 maar|echter
S 0101 nieuwe jaar
S 0901 de zomer
""",
    "ru": """
R 0 сегодня
R 1 завтра
R 2 послезавтра
X 0 следующ\\w+
T 0 эт\\w{1,2}
U D дн(?:я|ей|ь)
U W недел\\w+
U M месяц\\w*
U Q квартал\\w*
U Y год[ау]?|году
I 0 через
B 1 до|по
A 0 после
F 0 с|начиная с
b 0 между
E 0 начал[оеа]
E 1 середин[аеы]
E 2 кон[еца]+
P 9-12 утр[оам]+
P 13-18 днём|днем|после обеда
P 18-21 вечер\\w*
N 1 один|одну
N 2 два|две
N 3 три
N 4 четыре
N 6 шесть
a 0 в|около
| 0 или|и
! 0 но|однако
S 0101 нового года|новом году
""",
    "ja": """
R 0 本日|今日
R 1 明日
R 2 明後日
X W 来週の?
T W 今週の?
X M 来月
X Y 来年
X Q 来四半期
B 1 まで
A 0 以降|の後
F 0 から
P 9-12 午前中?
P 13-18 午後
P 18-21 夕方|夜
P 12-13 お昼|昼
| 0 または|もしくは|か|、
! 0 が、
""",
    "zh": """
R 0 今天
R 1 明天
R 2 后天
X W 下个?(?=周|星期|礼拜)|下周(?![一二三四五六日天])
T W 本(?=周)|这(?=周)
X M 下个月
X Y 明年
X Q 下个?季度
B 1 之前|为止|至|到
A 0 之后|以后
F 0 从
P 9-12 上午|早上
P 13-18 下午
P 18-21 晚上
P 12-13 中午
| 0 或者?|和
! 0 但是?
""",
    "ko": """
R 0 오늘
R 1 내일
R 2 모레
X W 다음 ?주
T W 이번 ?주
X M 다음 ?달
X Y 내년
B 1 까지
A 0 이후
F 0 부터
P 9-12 오전
P 13-18 오후
P 18-21 저녁
P 12-13 점심
| 0 또는|이나|혹은
! 0 하지만
""",
    "ar": """
R 0 اليوم
R 1 غدا|غدًا|غداً
R 2 بعد غد
X 0 القادم|القادمة|المقبل|المقبلة
U W [أا]سبوع|[أا]سابيع
U M شهر|[أا]شهر|شهور
U Y عام|سنة
I 0 خلال
B 1 حتى|إلى
A 0 بعد
F 0 من|ابتداء من
P 9-12 صباحا|صباحًا|الصباح
P 13-18 ظهرا|بعد الظهر|مساء
a 0 الساعة
| 0 أو|و
! 0 لكن
""",
}
