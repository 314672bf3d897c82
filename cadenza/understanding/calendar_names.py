"""Names of weekdays and months by language, Monday and January first, divided by spaces."""

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
