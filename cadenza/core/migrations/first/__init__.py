"""The first schema, room by room."""
