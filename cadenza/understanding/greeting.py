"""The greeting at the top of a letter: it says nothing about what somebody wants, nor when ("Guten Morgen")."""

import re

_NAMED = r"(?:[^\W\d_a-zà-öø-ÿа-я][\w.'’-]*|there|all|team|everyone|both|zusammen|und|and|et|y|e|en|monsieur|madame|señor[a]?|signor[ea]?)"
_GREETING = re.compile(
    r"\W*(?:(?i:hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day)|hallo|moin(?: moin)?|servus|grüezi|guten (?:tag|morgen|abend)|"
    r"grü(?:ß|ss) gott|sehr geehrte[rsn]?|liebe[rs]?|werte[rs]?|bonjour|bonsoir|salut|ch(?:er|ère)s?|hola|buenos días|buen día|buenas(?: tardes| noches)?|"
    r"estimad[oa]s?|querid[oa]s?|ciao|salve|buongiorno|buonasera|gentil(?:e|i|issim[oa])|egregi[oa]|car[oai]|olá|oi|bom dia|boa (?:tarde|noite)|prezad[oa]s?|"
    r"beste|geachte|goede(?:morgen|middag|navond|dag| morgen| middag)|dag|hoi|здравствуйте|добрый (?:день|вечер)|доброе утро|привет|уважаем\w+)"
    rf"(?:,?[^\S\n]+{_NAMED}){{0,5}}[^\S\n]*(?:[,!:]|\.(?=\s)|(?=\n|$))"
    r"|(?:[^\s。、，]{1,12}(?:様|さん|先生|님)|(?:您|你)好|お世話になっております|こんにちは|안녕하세요|안녕하십니까|مرحبا|السلام عليكم|عزيزي|عزيزتي|الأستاذ)[^\n。！？!?,，、،:：]{0,20}[。！!,，、،:：]?(?=\s|\S|$))"
)


def greeted(text: str) -> int:
    """Where the greeting ends; two people may be greeted one below the other."""
    place = 0
    for _ in range(2):
        found = _GREETING.match(text, place)
        if found is None or not text[found.end() :].strip():
            break
        place = found.end()
    return place
