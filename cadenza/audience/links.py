"""The opaque id in an unsubscribe link: says nothing to a stranger, and only this installation can read it."""

from uuid import UUID

from cadenza.core.crypto import SecretBox

_PURPOSE = "unsubscribe"


def unsubscribe_token(secrets: SecretBox, workspace_id: UUID, contact_id: UUID) -> str:
    """The same for the same person every time; never expires, as laws ask of such links."""
    return secrets.opaque(_PURPOSE, workspace_id, contact_id)


def read_unsubscribe_token(secrets: SecretBox, token: str) -> tuple[UUID, UUID] | None:
    """Workspace and contact, or None for anything that this installation did not make."""
    ids = secrets.read_opaque(_PURPOSE, token) if len(token) <= 200 else None
    return (ids[0], ids[1]) if ids and len(ids) == 2 else None
