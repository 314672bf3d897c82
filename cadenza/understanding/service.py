"""The doors of this room. Pure: no clock, no network, no database."""

from cadenza.understanding.absence import read_automatic
from cadenza.understanding.analysis import analyze
from cadenza.understanding.automatic import (
    automatic_kind,
    headers_say_automatic,
    is_daemon,
    is_failure_subject,
)
from cadenza.understanding.failures import STATUS, failure_type
from cadenza.understanding.reply_json import reply_from_json
from cadenza.understanding.text import extract, is_forward, plain_text

__all__ = [
    "STATUS",
    "analyze",
    "automatic_kind",
    "extract",
    "failure_type",
    "headers_say_automatic",
    "is_daemon",
    "is_failure_subject",
    "is_forward",
    "plain_text",
    "read_automatic",
    "reply_from_json",
]
