"""A campaign file may name a segment: whoever is in it at the launch is enrolled."""

from cadenza.audience.segment_rules import read_address
from cadenza.audience.service import import_contacts, save_segment
from cadenza.campaigns.service import apply, audience_of, campaign, document_text
from cadenza.channels.contracts import Server, Tls
from cadenza.channels.service import NewMailbox, add_mailbox
from cadenza.core.unit import Unit
from cadenza.engine.service import launch
from cadenza.identity.contracts import Actor

FILE = """
version: 1
name: spring
audience: {segment: Buyers}
senders: {mailboxes: [ann@north.example]}
steps:
  - id: intro
    channel: email
    action: send
    variants: [{id: a, subject: "Hello", text: "Hi {{ contact.custom.plant | default: 'there' }}"}]
"""
PEOPLE = b"email,title,plant\na@x.example,Buyer,2\nb@x.example,Head,3\nc@x.example,Senior buyer,4\n"


async def test_a_segment_is_checked_when_applied_and_enrolled_when_launched(unit: Unit, owner: Actor) -> None:
    report = await import_contacts(unit, owner, PEOPLE, file="people.csv")
    refused = await apply(unit, owner, FILE)
    assert [(e["line"], e["key"]) for e in refused.errors] == [(4, "audience.segment")]
    assert "There is no segment 'Buyers'" in refused.errors[0]["message"]
    await save_segment(unit, owner, "Buyers", read_address("all", ["title|contains|buyer"], {}))
    assert (await apply(unit, owner, FILE)).errors == ()
    found = await campaign(unit, owner, "spring")
    assert (found.definition.segment, found.definition.contacts_file) == ("Buyers", "")
    assert await audience_of(unit, found.definition) == [report.contact_ids[0], report.contact_ids[2]]
    assert (
        await apply(unit, owner, document_text(found.definition))
    ).changes == ()  # written out it says the same
    server = Server("127.0.0.1", 9, Tls.NONE)
    await add_mailbox(
        unit, owner, NewMailbox(address="ann@north.example", smtp=server, imap=server, user="u"), "x"
    )
    assert (await launch(unit, owner, "spring")).enrolled == 2
