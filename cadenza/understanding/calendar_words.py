"""Words of days, clocks and periods, by language, each with the sign it stands for.

Signs: ``W`` weekday 0 to 6, ``M`` month 1 to 12, ``R`` days from today, ``X`` next, ``T`` this, ``U`` unit,
``I`` in (a span from now), ``B`` until, ``A`` after, ``F`` from, ``V`` before, ``E`` part of a period,
``P`` part of a day, ``Q`` quarter, ``N`` number, ``a`` at (an hour follows), ``|`` or, ``!`` but, ``S`` season or feast,
``i`` inclusive, ``b`` between.
"""

from cadenza.understanding.calendar_words_more import MORE_WORDS

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
    **MORE_WORDS,
}
