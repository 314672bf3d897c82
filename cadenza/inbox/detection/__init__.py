"""What a received mail is: read tolerantly from its bytes, never answered, never run."""

from cadenza.inbox.detection.contracts import Bounce, Detection, Mail
from cadenza.inbox.detection.kinds import detect
from cadenza.inbox.detection.mail import read_mail
from cadenza.inbox.detection.reply import reply_from

__all__ = ["Bounce", "Detection", "Mail", "detect", "read_mail", "reply_from"]
