from __future__ import annotations

import os
import pwd
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from trading_system.runtime import places
from trading_system.runtime.children import Account
from trading_system.runtime.places import DataPlaces, outside_paths, refuse_full_disk, server_places, short_folder
from trading_system.runtime.refusals import StartRefused

LONGEST_SOCKET_PATH = 107
US = Account(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid())


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """We run servers as somebody who cannot enter data directories, only this folder."""
    root = tmp_path / "elsewhere"
    monkeypatch.setattr(places, "_ROOT_HOMES", (root,))
    monkeypatch.setattr(places, "_account_for", lambda existing: US)
    monkeypatch.setattr(places, "can_reach", lambda folder, account: folder == root)
    return root


def test_socket_paths_are_short_however_deep_the_data_is() -> None:
    folder = short_folder("/very/deep" * 100)
    assert len(f"{folder}/.s.PGSQL.5432.lock") <= LONGEST_SOCKET_PATH
    assert folder != short_folder("/other")


def test_data_stays_in_the_data_directory_when_that_can_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_account_for", lambda existing: US)
    assert server_places(tmp_path).home == tmp_path / "servers"
    assert outside_paths(tmp_path) == []


def test_the_home_elsewhere_is_the_same_at_every_start(tmp_path: Path, elsewhere: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    home = server_places(data).home
    assert home.parent == elsewhere
    assert server_places(data).home == home
    assert outside_paths(data) == [home, elsewhere / f"{home.name}.owner"]


def test_a_moved_data_directory_keeps_its_home(tmp_path: Path, elsewhere: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    home = server_places(data).home
    data.rename(tmp_path / "moved")
    assert server_places(tmp_path / "moved").home == home


def test_a_copied_data_directory_gets_a_home_of_its_own(tmp_path: Path, elsewhere: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    home = server_places(data).home
    shutil.copytree(data, tmp_path / "copy")
    assert server_places(tmp_path / "copy").home != home
    assert server_places(data).home == home


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 5_000_000, 5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(StartRefused) as refusal:
        refuse_full_disk(tmp_path)
    assert str(refusal.value) == (
        f"The disk of {tmp_path} is full: 4 MB are free, 300 MB are needed. Free some space or choose another disk with --data-dir."
    )


def test_a_data_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartRefused, match=r"The data directory .*/file/var cannot be written: Not a directory\."):
        DataPlaces(tmp_path / "file" / "var").create()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    link = tmp_path / "sockets"
    link.symlink_to(target)
    with pytest.raises(StartRefused, match="belongs to another user"):
        places.ServerPlaces(None, tmp_path / "home", tmp_path / "copies", link).create()
