"""Doors of operations."""

from cadenza.operations.setup import is_founded, new_setup_link

__all__ = ["is_founded", "new_setup_link"]
