import json
import re
from pathlib import Path

import pytest

from cadenza.core.errors import CadenzaError
from cadenza.web import assets


def test_the_lock_pins_contents_and_names_no_registry() -> None:
    lock = json.loads((assets.ROOT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "resolved" not in json.dumps(lock)


def test_installed_assets_are_left_alone_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_run_npm", lambda _: pytest.fail("npm was called"))
    assert assets.install() is False


def test_a_new_lock_brings_new_files_under_names_of_their_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package-lock.json").write_text("{}")
    for asset in assets.ASSETS:
        for name in (asset.path, asset.licence):
            file = tmp_path / "node_modules" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
    calls: list[Path] = []
    monkeypatch.setattr(assets, "_run_npm", calls.append)
    vendor = tmp_path / "vendor"
    assert assets.install(tmp_path, vendor) is True
    assert assets.install(tmp_path, vendor) is False
    files = json.loads((vendor / "manifest.json").read_text())["files"]
    assert re.fullmatch(r"htmx\.[0-9a-f]{12}\.js", files["htmx.js"])
    assert (vendor / files["htmx.js"]).read_text() == "htmx.org/dist/htmx.min.js"
    assert (vendor / "htmx.LICENSE.txt").read_text() == "htmx.org/LICENSE"
    (vendor / files["sse.js"]).unlink()
    assert assets.install(tmp_path, vendor) is True
    assert len(calls) == 2


def test_a_failed_installation_says_what_to_do_and_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "package-lock.json").write_text("this is no JSON")
    with pytest.raises(CadenzaError, match="make setup") as raised:
        assets.install(tmp_path, tmp_path / "vendor")
    assert raised.value.code == "assets_not_installed"
    assert not (tmp_path / "vendor").exists()
