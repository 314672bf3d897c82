"""Doors of experiments."""

from cadenza.experiments.assignment import assign

__all__ = ["assign"]
