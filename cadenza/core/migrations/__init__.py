"""The schema's history, and the way to apply it."""
