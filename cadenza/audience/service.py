"""Doors of audience: importing people, reading them, and the stops that hold for them."""

from cadenza.audience.addresses import AddressError
from cadenza.audience.bulk import BULK_JOB, run_change
from cadenza.audience.duplicates import known_as
from cadenza.audience.fields import fields, remove_field, set_field
from cadenza.audience.glances import glances
from cadenza.audience.hooks import tell_campaign_names, when_merged
from cadenza.audience.import_job import run_import
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
    contact_with_recipient,
    contacts,
    find_by_address,
    find_by_addresses,
    load_recipients,
    suppressions_of,
)
from cadenza.audience.places import zone_of
from cadenza.audience.segments import (
    remove_segment,
    save_segment,
    segment,
    segment_members,
    segment_named,
    segments,
)
from cadenza.audience.suppression import (
    mark_dead,
    normal_value,
    suppress,
    suppress_contact,
    unsubscribe,
)
from cadenza.audience.uploads import (
    IMPORT_JOB,
    cancel_import,
    examine_upload,
    faults_of,
    import_of,
    imports,
    keep_upload,
    preview_upload,
    set_mapping,
    start_import,
)

__all__ = [
    "BULK_JOB", "IMPORT_JOB", "AddressError", "cancel_import", "contact", "contact_with_recipient", "contacts", "contacts_of_file", "custom_fields",
    "custom_fields_of_file", "dry_run_alone", "examine_upload", "faults_of", "fields", "find_by_address",
    "find_by_addresses", "glances", "import_contacts", "import_of", "imports", "keep_upload", "known_as",
    "load_recipients", "mark_dead", "normal_value", "preview_upload", "read_contacts_file", "read_unsubscribe_token", "remove_field",
    "remove_segment", "resolve_contacts_file", "run_change", "run_import", "save_segment", "segment", "segment_members",
    "segment_named", "segments", "set_field", "set_mapping", "start_import", "suppress", "suppress_contact",
    "suppressions_of", "tell_campaign_names", "unsubscribe", "unsubscribe_token", "when_merged", "zone_of",
]  # fmt: skip
