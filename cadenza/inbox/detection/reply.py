"""From a read mail to what the analysis takes."""

from collections.abc import Sequence
from datetime import datetime

from cadenza.inbox.detection.contracts import Detection, Mail
from cadenza.understanding.contracts import Reply, ThreadMessage


def reply_from(
    mail: Mail,
    detection: Detection,
    *,
    received_at: datetime | None = None,
    thread: Sequence[ThreadMessage] = (),
    reply_id: str = "",
) -> Reply:
    """``received_at`` falls back to the Date header, whose offset tells the sender's zone."""
    return Reply(
        id=reply_id,
        raw_body=mail.html if mail.html and not mail.text.strip() else mail.text,
        received_at=received_at or mail.date,
        subject=mail.subject,
        from_name=mail.from_name,
        from_email=mail.from_address,
        headers={name: tuple(values) for name, values in mail.headers.items()},
        thread=tuple(thread),
        kind=detection.kind,
        failure=detection.bounces[0].type if detection.bounces else None,
    )
