"""What a process logs, as a fixture."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from cadenza.core import logs


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process writes to standard error once its logs are set up."""
    before, level, kept = logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config()
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    logs.configure("info")
    yield out
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(level)
    structlog.configure(**kept)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]
