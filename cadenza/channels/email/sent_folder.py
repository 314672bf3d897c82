"""The Sent folder: where people look, and where a touch in doubt is looked up."""

from uuid import UUID

from cadenza.channels.email.imap import ImapReader
from cadenza.channels.email.mime import TOUCH_HEADER


async def sent_folder(reader: ImapReader) -> str:
    """Its name on the wire; made where the mailbox has none. Raises as ``ImapReader`` does."""
    found = (await reader.folders()).sent
    if found is not None:
        return found
    await reader.create("Sent")
    return "Sent"


async def is_filed(reader: ImapReader, folder: str, message_id: str, touch_id: UUID) -> bool:
    """Whether it holds a touch: by Message-ID, and by our second header for providers that rewrite the first."""
    return bool(
        await reader.search(folder, "Message-ID", message_id)
        or await reader.search(folder, TOUCH_HEADER, touch_id.hex)
    )
