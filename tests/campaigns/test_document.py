"""A campaign file is read exactly as the contract says, and every fault in it names its line and what to do."""

from datetime import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadenza.campaigns.contracts import Caps, Fallback, Way
from cadenza.campaigns.document import read_document
from cadenza.campaigns.neighbour_files import Folder
from cadenza.campaigns.yaml_tree import read_tree
from cadenza.core.errors import Problem
from cadenza.timing.contracts import Window
from tests.campaigns.examples import GOOD, changed

CUSTOM = frozenset({"plan", "size"})


def problems(source: str, folder: Folder) -> tuple[Problem, ...]:
    reading = read_document(source, folder, lambda _: CUSTOM)
    assert (reading.definition is None) == bool(reading.problems)
    return reading.problems


def test_the_contracts_example_is_read(folder: Folder) -> None:
    reading = read_document(GOOD, folder, lambda _: CUSTOM)
    assert reading.problems == ()
    found = reading.definition
    assert found is not None
    assert (found.name, found.goal_metric, found.goal_target) == ("dach-manufacturing-q2", "meetings", 25)
    assert found.contacts_file == "people.csv"
    assert found.mailboxes == ("ann@north.example", "bo@north.example")
    assert found.window == Window(frozenset({1, 2, 3, 4, 5}), time(8, 30), time(17, 30))
    assert found.caps == Caps(2, 3, 60)
    assert (found.stop_account, found.track_opens, found.experiment_metric) == (
        {"meeting"},
        False,
        "positive_replies",
    )
    intro, nudge, follow = found.steps
    assert [(s.id, s.after_days, s.reply_to, s.otherwise) for s in found.steps] == [
        ("intro", 1, None, None), ("nudge", 2, "intro", "follow"), ("follow", 4, "intro", None),
    ]  # fmt: skip
    assert [v.id for v in intro.variants] == ["a", "b"]
    assert intro.variants[0].attributes == ("subject.question", "body.short")
    assert intro.variants[1].text == "Hello {{ contact.first_name | default: 'there' }}\n"
    assert intro.variants[1].html is not None
    assert intro.languages["de"]["a"].subject == "Frage zu {{ account.name }}"
    assert nudge.when == "delivered(intro) and not bounced(intro)"
    assert follow.variants[0].subject is None


def test_what_is_left_out_has_its_default(folder: Folder) -> None:
    short = (
        "version: 1\nname: NO\naudience: {contacts: people.csv}\nsenders: {mailboxes: [A@North.example]}\n"
        "steps:\n  - {id: on, variants: [{id: a, subject: Hi, text: Hello}]}\n"
    )
    found = read_document(short, folder, lambda _: CUSTOM).definition
    assert found is not None
    assert (found.name, found.steps[0].id, found.mailboxes) == (
        "NO",
        "on",
        ("a@north.example",),
    )  # YAML 1.2 words
    assert (found.window, found.caps, found.grace_hours) == (Window(), Caps(), 24)
    assert found.stop_person == {"reply", "meeting", "opt_out", "bounce"}


def test_stops_and_bounces_always_end_a_sequence(folder: Folder) -> None:
    source = changed("person: [reply, meeting, opt_out, bounce]", "person: [reply]")
    found = read_document(source, folder, lambda _: CUSTOM).definition
    assert found is not None
    assert found.stop_person == {"reply", "opt_out", "bounce"}


WRONG = [
    # old text, new text, line, key, part of the message
    ("version: 1", "version: 2", 1, "version", "version: 1"),
    ("name: dach", "nmae: dach", 2, "nmae", "'name'"),
    ("name: dach-manufacturing-q2", "name: 'a/b'", 2, "name", "letters"),
    ("name: dach-manufacturing-q2", "name: 7", 2, "name", "quotes"),
    ("metric: meetings", "metric: meeting", 3, "goal.metric", "'meetings'"),
    ("target: 25", "target: -1", 3, "goal.target", "whole number"),
    ("{contacts: people.csv}", "{contacts: people.csv, segment: dach}", 4, "audience.segment", "not both"),
    ("{contacts: people.csv}", "{segment: 7}", 4, "audience.segment", "quotes"),
    ("{contacts: people.csv}", '{query: "score > 1"}', 4, "audience.query", "not supported yet"),
    ("{contacts: people.csv}", "people.csv", 4, "audience", "contacts"),
    ("{contacts: people.csv}", "{contacts: nobody.csv}", 4, "audience.contacts", "no file"),
    ("{contacts: people.csv}", "{contacts: ../../etc/passwd}", 4, "audience.contacts", "outside"),
    ("{contacts: people.csv}", "{contacts: /etc/passwd}", 4, "audience.contacts", "outside"),
    ("{mailboxes: [ann@north.example, bo@north.example], per_person: sticky}", "{mailboxes: [ann@north.example], pool: x}", 5, "senders.pool", "not both"),
    ("{mailboxes: [ann@north.example, bo@north.example], per_person: sticky}", "{per_person: sticky}", 5, "senders.mailboxes", "Say who sends"),
    ("per_person: sticky", "per_person: free", 5, "senders.per_person", "sticky"),
    ("[ann@north.example, bo@north.example]", "[]", 5, "senders.mailboxes", "between 1"),
    ("[ann@north.example, bo@north.example]", "[ann]", 5, "senders.mailboxes", "address"),
    ("bo@north.example", "Ann@north.example", 5, "senders.mailboxes", "twice"),
    ("days: mon-fri", "days: mo-fr", 6, "window.days", "mon-fri"),
    ("days: mon-fri", "days: fri-mon", 6, "window.days", "mon-fri"),
    ('from: "08:30"', 'from: "8.30"', 6, "window.from", "08:30"),
    ('to: "17:30"', 'to: "08:00"', 6, "window", "later"),
    ("zone: recipient", "zone: Europe/Berln", 6, "window.zone", "IANA"),
    ("holidays: recipient", "holidays: maybe", 6, "window.holidays", "none or recipient"),
    ("per_person_per_week: 2", "per_person_per_week: 0", 7, "caps.per_person_per_week", "1 to 50"),
    ("per_person_per_week: 2", "per_person_per_week: true", 7, "caps.per_person_per_week", "whole number"),
    ("per_person_per_week", "per_persn_per_week", 7, "caps.per_persn_per_week", "'per_person_per_week'"),
    ("{hours: 24}", "{hours: 1.5}", 8, "grace.hours", "whole number"),
    ("{hours: 24}", "24", 8, "grace", "keys and values"),
    ("account: [meeting]", "account: [meating]", 9, "stop.account", "'meeting'"),
    ("{opens: false, clicks: false}", "{opens: no}", 10, "tracking.opens", "true or false"),
    ("- id: intro", "- id: 1st", 12, "steps[1].id", "letter"),
    ("channel: email\n    action: send", "channel: linkedin", 12, "steps[1].action", "connect, message"),
    ("channel: email", "channel: linkedin", 14, "steps[1].action", "connect, message or view_profile"),
    ("channel: email", "channel: any", 12, "steps[1].options", "Say between what"),
    ("channel: email", "channel: any", 14, "steps[1].action", "in each of its options"),
    ("channel: email", "channel: emial", 13, "steps[1].channel", "'email'"),
    ("action: send", "action: view_profile", 14, "steps[1].action", "send here"),
    ("action: send", "fallback: {channel: phone}", 14, "steps[1].fallback.step", "missing"),
    ("action: send", "fallback: {channel: phone, step: nugde}", 14, "steps[1].fallback.step", "'nudge'"),
    ("action: send", "fallback: {channel: phone, step: nudge}", 14, "steps[1].fallback.channel", "is on email"),
    ("action: send", "fallback: {channel: email, step: nudge}", 14, "steps[1].fallback.channel", "another channel"),
    ("action: send", "options: []", 14, "steps[1].options", "channel: any"),
    ("action: send", "script: hello", 14, "steps[1].script", "Only a call"),
    ("after: {days: 1}", "after: {weeks: 1}", 15, "steps[1].after.weeks", "days"),
    ("after: {days: 1}", "after: 1", 15, "steps[1].after", "keys and values"),
    ("thread: new", "thread: old", 16, "steps[1].thread", "new"),
    ("thread: new", "thread: reply_to", 16, "steps[1].thread", "{reply_to: STEP}"),
    ("thread: new", "thread: {reply_to: nudge}", 16, "steps[1].thread.reply_to", "earlier step"),
    ('        subject: "Question about {{ account.name }}"\n', "", 18, "steps[1].variants[1].subject", "needs a subject"),
    ("{{ account.name }}", "{{ acount.name }}", 19, "steps[1].variants[1].subject", "'account.name'"),
    (" | default: 'there' }}, ...", " }}, ...", 20, "steps[1].variants[1].text", "default:"),
    ("contact.first_name |", "contact.frist_name |", 20, "steps[1].variants[1].text", "'contact.first_name'"),
    ("contact.first_name |", "contact.custom.plam |", 20, "steps[1].variants[1].text", "'contact.custom.plan'"),
    ("[subject.question, body.short]", "[Subject Question]", 21, "steps[1].variants[1].attributes", "subject.question"),
    ("{id: b,", "{id: a,", 22, "steps[1].variants[2].id", "already"),
    ("text_file: intro-b.md", "text_file: gone.md", 22, "steps[1].variants[2].text_file", "no file"),
    ("text_file: intro-b.md", "text_file: ../x.md", 22, "steps[1].variants[2].text_file", "outside"),
    ("text_file: intro-b.md", 'text_file: "a\\0b"', 22, "steps[1].variants[2].text_file", "usable"),
    ("text_file: intro-b.md", "text: x, text_file: intro-b.md", 22, "steps[1].variants[2].text_file", "not both"),
    ("languages: {de:", "languages: {German:", 23, "steps[1].languages.German", "ISO 639"),
    ("{de: {a:", "{de: {z:", 23, "steps[1].languages.de.z", "known"),
    ("- id: nudge", "- id: intro", 24, "steps[2].id", "already"),
    ("    after: {days: 2}\n", "", 24, "steps[2].after", "after: {days: 2}"),
    ("delivered(intro) and", "delivered(itnro) and", 26, "steps[2].when", "'intro'"),
    ("delivered(intro) and", "accepted(intro) and", 26, "steps[2].when", "does not connect"),
    ("delivered(intro) and", "connected(intro) and", 26, "steps[2].when", "does not call"),
    ("delivered(intro) and", "__import__('os') and", 26, "steps[2].when", "no known test"),
    ("else: follow", "else: intro", 28, "steps[2].else", "later step"),
    ("- id: a\n        text: |", "- id: a\n        subject: x\n        text: |", 31, "steps[2].variants[1].subject", "keeps its subject"),
    ("as {{ contact.title }}{% else %}anyway", "as{% else %}{{ contact.title }}", 33, "steps[2].variants[1].text", "may be missing"),
    ("{% endif %}\n", "\n", 33, "steps[2].variants[1].text", "endif"),
    ("{% if contact.title %}", "{% for x in (1..2000000000) %}", 33, "steps[2].variants[1].text", "no tag"),
    ('text: "Last word"', "text: ''", 40, "steps[3].variants[1].text", "characters"),
    ("allocation: even", "allocation: adaptive", 41, "experiment.allocation", "not supported yet"),
    ("goal: {metric: meetings, target: 25}", "name: again", 3, "name", "already set"),
    ("goal: {metric: meetings, target: 25}", "<<: {a: b}", 3, "<<", "no known key"),
]  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_names_line_key_and_remedy(fault: tuple[str, str, int, str, str], folder: Folder) -> None:
    old, new, line, key, says = fault
    found = problems(changed(old, new), folder)
    assert [p for p in found if (p.line, p.key) == (line, key) and says in p.message], found


def test_all_faults_come_at_once_in_the_order_of_lines(folder: Folder) -> None:
    source = (
        GOOD.replace("version: 1", "version: 9")
        .replace("hours: 24", "hours: x")
        .replace("Last word", "{{ x }}")
    )
    assert [p.line for p in problems(source, folder)] == [1, 8, 40]


def test_faults_in_files_beside_name_file_and_line(folder: Folder) -> None:
    assert folder.path
    (folder.path / "intro-b.html").write_text("<p>\n{{ contact.nick }}\n")
    (folder.path / "intro-b.md").write_bytes(b"\xff\xfe\x00")
    found = problems(GOOD, folder)
    assert [p.key for p in found] == ["steps[1].variants[2].text_file", "steps[1].variants[2].html_file"]
    assert "UTF-8" in found[0].message
    assert found[1].message.startswith("intro-b.html line 2: ")


def test_a_link_does_not_lead_out_of_the_folder(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert folder.path
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    secret.write_text("secret")
    (folder.path / "intro-b.md").unlink()
    (folder.path / "intro-b.md").symlink_to(secret)
    found = problems(GOOD, folder)
    assert len(found) == 1
    assert "outside" in found[0].message


def test_without_a_folder_no_file_is_read() -> None:
    found = problems(GOOD, Folder(None))
    assert {p.code for p in found} == {"file_invalid"}


HOSTILE = {
    "empty": "",
    "comment only": "# nothing\n",
    "a word": "hello",
    "a list": "[1, 2]",
    "binary": "\x00\x01\x02",
    "tab": "version: 1\n\tname: x\n",
    "unclosed": 'name: "abc',
    "wrong indent": "a:\n  b: 1\n c: 2\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "python tag": "!!python/object/apply:os.system ['true']",
    "custom tag": "name: !secret x",
    "alias of nothing": "name: *nobody",
    "alias of itself": "a: &a [*a]",
    "bomb": "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)),
    "deep flow": "a: " + "[" * 5000,
    "deep flow closed": "a: " + "[" * 900 + "]" * 900,
    "deep block": "\n".join(" " * n + "- a:" for n in range(0, 200, 2)),
    "deep mapping": "{a: " * 3000,
    "large": "a: " + "x" * 10_000_000,
    "many values": "a: [" + "1," * 60_000 + "]",
    "surrogate": 'name: "\\uD800"',
    "beyond unicode": 'name: "\\U00110000"',
    "mapping as key": "? {a: b}\n: c",
    "list as key": "[a]: c",
    "directive": "%YAML 9.9\n---\na: 1",
    "bell": "name: \x07",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_at_once(name: str, folder: Folder) -> None:
    found = problems(HOSTILE[name], folder)
    assert found
    assert all(p.message for p in found)


def test_an_alias_within_bounds_is_only_a_shorthand(folder: Folder) -> None:
    source = GOOD.replace("- id: a\n        text: |", "- id: a\n        text: &text |").replace(
        '"Last word"', "*text"
    )
    found = read_document(source, folder, lambda _: CUSTOM).definition
    assert found is not None
    assert found.steps[2].variants[0].text == found.steps[1].variants[0].text


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_change_of_the_file_raises(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 40)))
    middle = data.draw(
        st.text(alphabet=st.sampled_from("{}[]:,-|>&*!%@`'\"#?\n \tab1\x00é\U0001f600"), max_size=12)
    )
    source = GOOD[:start] + middle + GOOD[end:]
    problems(source, Folder(Path("/nonexistent")))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_no_text_raises(source: str) -> None:
    problems(source, Folder(None))


@pytest.mark.asvs("1.3.11")
@pytest.mark.parametrize(
    "hostile",
    [
        "Hi\\r\\nBcc: x@y.example",
        "a\\nb",
        "{{ account.name | default: 'a\\r\\nb' }}",
        "x\\e[31m",
        "a\\u202eb",
    ],
)
def test_a_subject_of_more_than_one_plain_line_is_refused_with_its_line(folder: Folder, hostile: str) -> None:
    source = changed('"Question about {{ account.name }}"', f'"{hostile}"')
    found = [p for p in problems(source, folder) if p.code == "subject_not_one_line"]
    assert [p.line for p in found] == [19]


@pytest.mark.parametrize(
    "place", ['"Guten Tag"', '"Question about {{ account.name }}"', "people.csv", "ann@north.example"]
)
def test_a_nul_character_anywhere_is_refused_with_its_line(folder: Folder, place: str) -> None:
    word = place.strip('"')
    source = changed(place, f'"{word[:2]}\\0{word[2:]}"')
    found = problems(source, folder)
    assert found
    assert all(problem.line and problem.key for problem in found)


@pytest.mark.parametrize(
    ("source", "line", "remedy"),
    [
        ('version: 1\nname: "abc\n', 2, "close it"), ("name: a: b\n", 1, "in quotes"), ("a: @b\n", 1, "in quotes"),
        ("a:\n  - b\n c: d\n", 3, "same indent"), ("a: {b: 1\nc: 2\n", 2, "brackets"), ("a: 1\n\tb: 2\n", 2, "indent with spaces"),
        ("", None, "begins with"), ("a: *x\n", 1, "write the value"), ("a: ]\n", 1, "docs/campaign-file.md"),
    ],
)  # fmt: skip
def test_broken_yaml_says_what_to_do(source: str, line: int | None, remedy: str) -> None:
    tree, problems = read_tree(source)
    assert (tree, problems[0].line) == (None, line)
    assert remedy in problems[0].message


CHANNELS = """\
version: 1
name: three
audience: {segment: dach}
senders: {pool: north}
steps:
  - {id: view, channel: linkedin, action: view_profile, after: {days: 0}}
  - id: connect
    channel: linkedin
    action: connect
    after: {days: 1}
    variants: [{id: a, text: "Hello {{ contact.first_name | default: 'there' }}"}]
    fallback: {channel: email, step: follow}
  - id: nudge
    channel: any
    after: {days: 2}
    when: "accepted(connect)"
    options:
      - {channel: email, action: send, variants: [{id: a, subject: "Hello", text: "Dear all"}]}
      - {channel: linkedin, action: message, variants: [{id: a, text: "Thanks", attributes: [argument.time]}]}
      - {channel: phone, action: call, script: "Ask {{ contact.first_name | default: 'them' }} about time."}
  - {id: call, channel: phone, action: call, after: {days: 3}, when: "score >= 40 or accepted(connect)", script: "Ask."}
  - id: follow
    after: {days: 4}
    when: "not connected(nudge)"
    variants: [{id: a, subject: "Bye", text: "Last word"}]
"""


@pytest.mark.story("3.1.1.5", 5)
def test_a_sequence_goes_over_three_channels_with_options_and_fallbacks(folder: Folder) -> None:
    found = read_document(CHANNELS, folder, lambda _: None)
    assert found.problems == ()
    assert found.definition is not None
    view, connect, nudge, call, follow = found.definition.steps
    assert [(way.channel, way.action) for way in nudge.ways] == [
        ("email", "send"), ("linkedin", "message"), ("phone", "call"),
    ]  # fmt: skip
    assert (view.ways[0], connect.fallback) == (Way("linkedin", "view_profile"), Fallback("email", "follow"))
    assert (call.script, follow.channel) == ("Ask.", "email")
    assert nudge.ways[1].variants[0].attributes == ("argument.time",)


CHANNEL_FAULTS = [
    ("view_profile, after", "view_profile, thread: new, after", "steps[1].thread", "Only e-mail"),
    ("view_profile, after", "view_profile, variants: [{id: a, text: x}], after", "steps[1].variants", "nothing in writing"),
    ('text: "Hello', f'text: "{"x" * 300}', "steps[2].variants[1].text", "1 to 300"),
    ('text: "Hello', 'subject: x, text: "Hello', "steps[2].variants[1].subject", "no known key"),
    ("{channel: email, action: send,", "{action: send,", "steps[3].options[1].channel", "missing"),
    ("linkedin, action: message", "email, action: send", "steps[3].options[2]", "does the same"),
    ("    options:", "    script: x\n    options:", "steps[3].script", "in each of its options"),
    ("accepted(connect)", "accepted(view)", "steps[3].when", "does not connect"),
    (', script: "Ask."', "", "steps[4].script", "caller should know"),
    ('script: "Ask."', 'script: "Ask {{ contact.title }}."', "steps[4].script", "default:"),
]  # fmt: skip


@pytest.mark.parametrize("fault", CHANNEL_FAULTS)
def test_a_fault_of_a_channel_names_key_and_remedy(fault: tuple[str, str, str, str], folder: Folder) -> None:
    old, new, key, says = fault
    assert old in CHANNELS
    found = problems(CHANNELS.replace(old, new, 1), folder)
    assert [p for p in found if p.key == key and says in p.message and p.line], found
