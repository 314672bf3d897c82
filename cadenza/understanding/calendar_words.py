"""Words of days, clocks and periods, by language, each with the sign it stands for.

Signs: ``W`` weekday 0 to 6, ``M`` month 1 to 12, ``R`` days from today, ``X`` next, ``T`` this, ``U`` unit,
``I`` in (a span from now), ``B`` until, ``A`` after, ``F`` from, ``V`` before, ``E`` part of a period,
``P`` part of a day, ``Q`` quarter, ``N`` number, ``a`` at (an hour follows), ``|`` or, ``!`` but, ``S`` season or feast,
``i`` inclusive, ``b`` between.
"""

WEEKDAYS = {
    "en": "monday|mon tuesday|tues|tue wednesday|wed thursday|thurs|thur|thu friday|fri saturday sunday",
    "de": "montags?|mo\\. dienstags?|di\\. mittwochs?|mi\\. donnerstags?|do\\. freitags?|fr\\. samstags?|sonnabend|sa\\. sonntags?",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles|miercoles jueves viernes sábado|sabado domingo",
    "it": "lunedì|lunedi martedì|martedi mercoledì|mercoledi giovedì|giovedi venerdì|venerdi sabato domenica",
    "pt": "segunda(?:-feira)? terça(?:-feira)? quarta(?:-feira)? quinta(?:-feira)? sexta(?:-feira)? sábado domingo",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "ru": "понедельник[аи]? вторник[аи]? сред[ауы] четверг[аи]? пятниц[ауы] суббот[ауы] воскресень[ея]",
    "ja": "月曜日?|[(（]月[)）] 火曜日?|[(（]火[)）] 水曜日?|[(（]水[)）] 木曜日?|[(（]木[)）] 金曜日?|[(（]金[)）] 土曜日?|[(（]土[)）] 日曜日?|[(（]日[)）]",
    "zh": "(?:星期|周|礼拜)一 (?:星期|周|礼拜)二 (?:星期|周|礼拜)三 (?:星期|周|礼拜)四 (?:星期|周|礼拜)五 (?:星期|周|礼拜)六 (?:星期|周|礼拜)[日天]",
    "ko": "월요일 화요일 수요일 목요일 금요일 토요일 일요일",
    "ar": "ال[إا]ثنين الثلاثاء ال[أا]ربعاء الخميس الجمعة السبت ال[أا]حد",
}

MONTHS = {
    "en": "january|jan february|feb march|mar april|apr may june|jun july|jul august|aug september|sept|sep october|oct november|nov december|dec",
    "de": "januar|jänner|jan februar|feb märz|mrz april|apr mai juni|jun juli|jul august|aug september|sept|sep oktober|okt november|nov dezember|dez",
    "fr": "janvier|janv février|fevrier|févr mars avril|avr mai juin juillet|juil août|aout septembre|sept octobre|oct novembre|nov décembre|decembre|déc",
    "es": "enero|ene febrero|feb marzo abril|abr mayo junio|jun julio|jul agosto|ago septiembre|setiembre|sept|sep octubre|oct noviembre|nov diciembre|dic",
    "it": "gennaio|gen febbraio|feb marzo aprile|apr maggio giugno|giu luglio|lug agosto|ago settembre|sett ottobre|ott novembre|nov dicembre|dic",
    "pt": "janeiro|jan fevereiro|fev março|marco abril|abr maio junho|jun julho|jul agosto|ago setembro|set outubro|out novembro|nov dezembro|dez",
    "nl": "januari|jan februari|feb maart|mrt april|apr mei juni|jun juli|jul augustus|aug september|sept|sep oktober|okt november|nov december|dec",
    "ru": "январ[ьяе] феврал[ьяе] март[ае]? апрел[ьяе] ма[йяе] июн[ьяе] июл[ьяе] август[ае]? сентябр[ьяе] октябр[ьяе] ноябр[ьяе] декабр[ьяе]",
    "ar": "يناير فبراير مارس [أا]بريل مايو يونيو يوليو [أا]غسطس سبتمبر [أا]كتوبر نوفمبر ديسمبر",
}

# One line a word: sign, value, pattern. Longer patterns win over shorter ones.
WORDS = {
    "en": """
R 0 today
R 1 tomorrow|tmrw
R 2 (?:the )?day after tomorrow
X 0 next|the following|coming
T 0 this|upcoming
U D (?:business |working )?days?
U W weeks?|wks?
U M months?
U Q quarters?
U Y years?
I 0 in|within
I 1 from now
B 1 through|up to and including|thru
B 0 until|till|til|by
i 1 inclusive|included
A 0 after|once|following
F 0 from|since|starting|as of|beginning
V 0 before|no later than|prior to
b 0 between
E 0 early|(?:at )?(?:the )?(?:beginning|start) of
E 1 mid|(?:in )?(?:the )?middle of
E 2 late|(?:at |by )?(?:the )?end of
P 9-12 mornings?|am
P 13-18 afternoons?|pm
P 18-21 evenings?
P 12-13 lunch(?:time)?
P 9-9 first thing(?: in the morning)?
P 17-18 (?:the )?end of (?:the )?day|eod|cob|close of business
P 9-18 all day|any ?time|whole day
Q 1 first quarter|q1
Q 2 second quarter|q2
Q 3 third quarter|q3
Q 4 (?:fourth|last|final) quarter|q4
N 1 one|a|an
N 2 two|a couple of|couple of
N 3 three
N 4 four
N 5 five
N 6 six
N 7 seven
N 8 eight
N 9 nine
N 10 ten
N 12 twelve
a 0 at|@|around|about|say|how about
| 0 or|and|as well as|either
- 0 to
! 0 but|however|instead|though
S 0101 (?:the )?new year|new year's
S 0301 spring
S 0601 summer(?: break| holidays)?
S 0901 autumn
S 1201 winter
S 1226 christmas|xmas|the holidays
""",
    "de": """
R 0 heute
R 1 morgen(?! früh\\w)
R 2 übermorgen
X 0 nächste[rnms]?|naechste[rnms]?|folgende[rn]?
T 0 diese[rnms]?|kommende[rnms]?
U D (?:arbeits|werk)?tage?n?
U W wochen?
U M monate?n?
U Q quartale?n?
U Y jahre?n?
I 0 in|innerhalb von
B 1 bis einschließlich|bis einschliesslich|bis einschl\\.|bis inkl\\.?|bis inklusive|bis und mit
B 1 bis(?: zum)?
i 1 einschließlich|inklusive|einschl\\.?
A 0 nach(?: dem| der)?
F 0 ab(?: dem)?|vom|von|seit(?: dem)?
V 0 vor(?: dem| der)?
b 0 zwischen
E 0 anfang|beginn(?: des)?|zu beginn des
E 1 mitte
E 2 ende
P 9-12 vormittags?|vormittag|früh|am morgen|morgens
P 13-18 nachmittags?|nachmittag
P 18-21 abends?|abend
P 12-13 mittags?|mittag|mittagszeit
P 9-9 gleich (?:in der früh|morgens)
P 17-18 (?:zum )?(?:feierabend|tagesende)
P 9-18 ganztägig|den ganzen tag|ganzen tag|jederzeit
Q 1 (?:ersten?|1\\.) quartal|q1
Q 2 (?:zweiten?|2\\.) quartal|q2
Q 3 (?:dritten?|3\\.) quartal|q3
Q 4 (?:vierten?|4\\.|letzten?) quartal|q4
N 1 eine?[rnm]?
N 2 zwei|zwo
N 3 drei
N 4 vier
N 5 fünf
N 6 sechs
N 7 sieben
N 8 acht
N 9 neun
N 10 zehn
N 12 zwölf
a 0 um|gegen
| 0 oder|und|sowie
! 0 aber|sondern|allerdings|dafür|stattdessen
S 0101 neuen jahr|neues jahr|jahreswechsel
S 0301 frühjahr|frühling
S 0601 sommer
S 0901 herbst|sommerpause|sommerferien
S 1201 winter
S 1227 weihnachten
""",
    "fr": """
R 0 aujourd'hui|aujourd’hui
R 1 demain
R 2 après-demain|apres-demain
X 0 prochaine?|suivante?|qui suit
X 1 la semaine prochaine
T 0 ce|cette
U D jours?(?: ouvrés)?
U W semaines?
U M mois
U Q trimestres?
U Y ans?|années?|année
I 0 dans|d'ici|sous
B 1 jusqu'au|jusqu’au|jusqu'à|jusqu’à|jusqu'en
B 1 au
i 1 inclus(?:e)?|compris
A 0 après(?: le| la)?|passé
F 0 à partir (?:du|de)|à compter du|dès(?: le)?|depuis le|du
V 0 avant(?: le)?
b 0 entre
E 0 début
E 1 mi|milieu
E 2 fin
P 9-12 matins?|matinée|dans la matinée
P 13-18 après-midi|apres-midi
P 18-21 soir|soirée
P 12-13 midi|(?:à l'heure du )?déjeuner
P 9-9 à la première heure
P 17-18 (?:en )?fin de journée|fin d'après-midi
P 9-18 toute la journée|n'importe quand
Q 1 (?:premier|1er) trimestre|t1|q1
Q 2 (?:deuxième|second|2e|2ème) trimestre|t2|q2
Q 3 (?:troisième|3e|3ème) trimestre|t3|q3
Q 4 (?:quatrième|dernier|4e|4ème) trimestre|t4|q4
N 1 une?
N 2 deux
N 3 trois
N 4 quatre
N 5 cinq
N 6 six
N 7 sept
N 8 huit
N 9 neuf
N 10 dix
N 12 douze
a 0 à|vers
| 0 ou|et|ou bien|soit
! 0 mais|par contre|en revanche|plutôt
S 0101 nouvel an|nouvelle année
S 0301 printemps
S 0601 été
S 0901 automne|rentrée|les vacances
S 1201 hiver
S 1226 noël|les fêtes
""",
    "es": """
R 0 hoy
R 1 mañana(?! por)
R 2 pasado mañana
X 0 próxim[oa]s?|proxim[oa]s?|que viene|siguiente
T 0 est[ea]
U D días?(?: hábiles)?|dias?
U W semanas?
U M mes(?:es)?
U Q trimestres?
U Y años?
I 0 en|dentro de
B 1 hasta(?: el)?
B 1 al
i 1 inclusive|incluido
A 0 después del?|despues del?|pasad[oa]s?|tras
F 0 a partir del?|desde(?: el)?|del
V 0 antes del?
b 0 entre
E 0 principios de|a principios de|inicios de|comienzos de
E 1 mediados de|a mediados de
E 2 finales de|a finales de|fin de
P 9-12 (?:por|en|de) la mañana|mañanas|mañana por la mañana
P 13-18 (?:por|en|de) la tarde|tardes|tarde
P 18-21 (?:por|en|de) la noche|noche
P 12-13 mediodía|mediodia|(?:a la )?hora de comer
P 9-9 a primera hora
P 17-18 a última hora|final del día
P 9-18 todo el día|cualquier hora
Q 1 primer trimestre|t1|q1
Q 2 segundo trimestre|t2|q2
Q 3 tercer trimestre|t3|q3
Q 4 (?:cuarto|último) trimestre|t4|q4
N 1 un[ao]?
N 2 dos|un par de
N 3 tres
N 4 cuatro
N 5 cinco
N 6 seis
N 7 siete
N 8 ocho
N 9 nueve
N 10 diez
N 12 doce
a 0 a las|a la|sobre las|a eso de las|las
| 0 o|y|o bien|u
! 0 pero|sino|en cambio|mejor
S 0101 año nuevo|nuevo año
S 0301 primavera
S 0601 verano
S 0901 otoño|las vacaciones
S 1201 invierno
S 1226 navidad(?:es)?|las fiestas
""",
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
