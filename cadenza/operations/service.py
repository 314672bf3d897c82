"""Doors of operations. A room adds a check to ``doctor`` and the page Health by ``register``."""

from cadenza.operations.archive import keep_archive
from cadenza.operations.checks import Finding, Scene, fail, fine, register, skipped, warn
from cadenza.operations.doctor import look, watch_health
from cadenza.operations.pulse import beat
from cadenza.operations.sending import compare, compare_when_held, hold_of, hold_sending, release_sending
from cadenza.operations.setup import is_founded, new_setup_link

__all__ = [
    "Finding", "Scene", "beat", "compare", "compare_when_held", "fail", "fine", "hold_of", "hold_sending", "is_founded",
    "keep_archive",    "look", "new_setup_link", "register", "release_sending", "skipped", "warn", "watch_health",
]  # fmt: skip
