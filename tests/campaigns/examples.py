"""Campaign files for tests: one that is right, and a way to change a piece of it."""

GOOD = """\
version: 1
name: dach-manufacturing-q2
goal: {metric: meetings, target: 25}
audience: {contacts: people.csv}
senders: {mailboxes: [ann@north.example, bo@north.example], per_person: sticky}
window: {days: mon-fri, from: "08:30", to: "17:30", zone: recipient, holidays: recipient}
caps: {per_person_per_week: 2, per_account_per_day: 3, per_sender_per_day: 60}
grace: {hours: 24}
stop: {person: [reply, meeting, opt_out, bounce], account: [meeting]}
tracking: {opens: false, clicks: false}
steps:
  - id: intro
    channel: email
    action: send
    after: {days: 1}
    thread: new
    variants:
      - id: a
        subject: "Question about {{ account.name }}"
        text: "Hi {{ contact.first_name | default: 'there' }}, ..."
        attributes: [subject.question, body.short]
      - {id: b, subject: "Hello", text_file: intro-b.md, html_file: intro-b.html, attributes: []}
    languages: {de: {a: {subject: "Frage zu {{ account.name }}", text: "Guten Tag"}}}
  - id: nudge
    after: {days: 2}
    when: "delivered(intro) and not bounced(intro)"
    thread: {reply_to: intro}
    else: follow
    variants:
      - id: a
        text: |
          Hello,
          {% if contact.title %}as {{ contact.title }}{% else %}anyway{% endif %}
          you know.
  - id: follow
    channel: email
    action: send
    after: {days: 4}
    thread: {reply_to: intro}
    variants: [{id: a, text: "Last word"}]
experiment: {metric: positive_replies, allocation: even}
"""

FILES = {
    "people.csv": "email,first_name\nann@acme.example,Ann\n",
    "intro-b.md": "Hello {{ contact.first_name | default: 'there' }}\n",
    "intro-b.html": "<p>Hello {{ contact.first_name | default: 'there' }}</p>\n",
}


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)
