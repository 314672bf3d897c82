from pathlib import Path

import pytest

from cadenza.campaigns.neighbour_files import Folder
from tests.campaigns.examples import FILES


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with every file that the good example names."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return Folder(tmp_path)
