"""Doors of operations."""

from cadenza.operations.sending import compare, compare_when_held, hold_of, hold_sending, release_sending
from cadenza.operations.setup import is_founded, new_setup_link

__all__ = [
    "compare", "compare_when_held", "hold_of", "hold_sending", "is_founded", "new_setup_link", "release_sending",
]  # fmt: skip
