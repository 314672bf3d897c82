"""Doors of audience: importing people, reading them, and the stops that hold for them."""

from cadenza.audience.importing import (
    contacts_of_file,
    custom_fields,
    custom_fields_of_file,
    dry_run_alone,
    import_contacts,
    read_contacts_file,
    resolve_contacts_file,
)
from cadenza.audience.links import read_unsubscribe_token, unsubscribe_token
from cadenza.audience.people import (
    contact,
    contacts,
    find_by_address,
    find_by_addresses,
    load_recipients,
    suppressions_of,
)
from cadenza.audience.places import zone_of
from cadenza.audience.suppression import mark_dead, suppress, suppress_contact, unsubscribe

__all__ = [
    "contact", "contacts", "contacts_of_file", "custom_fields", "custom_fields_of_file", "dry_run_alone", "find_by_address",
    "find_by_addresses", "import_contacts", "load_recipients", "mark_dead", "read_contacts_file", "read_unsubscribe_token",
    "resolve_contacts_file", "suppress", "suppress_contact", "suppressions_of", "unsubscribe", "unsubscribe_token", "zone_of",
]  # fmt: skip
