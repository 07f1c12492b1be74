# SPDX-License-Identifier: Apache-2.0
"""Opening says what a recording is, writes nowhere but into its cache, and does its work once."""

import hashlib
import os
from pathlib import Path

import pytest

from stn_perception.bags import BagError


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_sound_bag_is_used_where_it_lies(bags, storage):
    folder = bags.write(storage=storage)
    before = everything_in(folder)
    bag = bags.open(folder)
    assert (bag.path, bag.name) == (folder, str(folder))
    assert (bag.losses, bag.sentences) == ({}, ())
    assert everything_in(folder) == before


def test_one_file_has_the_hash_of_its_bytes(bags):
    folder = bags.write()
    file = bags.storage(folder)
    known = hashlib.sha256(file.read_bytes()).hexdigest()
    assert bags.open(folder).sha256 == bags.open(file).sha256 == known


def test_several_files_have_one_hash_whatever_they_are_called(bags):
    first, second = (
        bags.storage(bags.write(n, numbers=range(k))) for n, k in (("a", 4), ("b", 6))
    )
    hashes = []
    for names in (("x_0.mcap", "x_1.mcap"), ("y_1.mcap", "y_0.mcap")):
        folder = bags.folder / names[0][0]
        folder.mkdir()
        for name, file in zip(names, (first, second), strict=True):
            (folder / name).write_bytes(file.read_bytes())
        hashes.append(bags.open(folder).sha256)
    parts = sorted(hashlib.sha256(f.read_bytes()).hexdigest() for f in (first, second))
    assert hashes == [hashlib.sha256("\n".join(parts).encode()).hexdigest()] * 2


def test_the_hash_is_that_of_the_damaged_bytes(bags):
    file = bags.storage(bags.write())
    file.write_bytes(file.read_bytes()[:3_000_000])
    bag = bags.open(file)
    assert bag.path != file
    assert bag.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_nothing_is_written_beside_a_damaged_bag(bags):
    file = bags.storage(bags.write("a/b"))
    file.write_bytes(file.read_bytes()[:3_000_000])
    before = everything_in(bags.folder / "a")
    bag = bags.open(file.parent)
    assert bags.cache in bag.path.parents
    assert everything_in(bags.folder / "a") == before


def test_a_bag_that_was_opened_before_is_not_read_again(bags):
    file = bags.storage(bags.write())
    file.write_bytes(file.read_bytes()[:3_000_000])
    first = bags.open(file)
    states = {f: f.stat().st_mtime_ns for f in bags.cache.rglob("*")}
    assert bags.open(file) == first
    assert {f: f.stat().st_mtime_ns for f in bags.cache.rglob("*")} == states


def test_a_bag_that_changed_is_examined_anew(bags):
    file = bags.storage(bags.write())
    assert bags.open(file).losses == {}
    data = file.read_bytes()
    file.write_bytes(data[:3_000_000])
    assert bags.open(file).losses
    file.write_bytes(data)
    assert bags.open(file).losses == {}


def test_what_a_killed_process_left_in_the_cache_is_cleared(bags):
    file = bags.storage(bags.write())
    file.write_bytes(file.read_bytes()[:3_000_000])
    (entry,) = {path.relative_to(bags.cache).parts[0] for path in [bags.open(file).path]}
    killed = bags.cache / f".{entry.rpartition('-')[2]}.partial"
    (bags.cache / entry).rename(killed)
    (killed / "half").write_text("x")
    assert bags.read(bags.open(file).path)
    assert not killed.exists() and not (bags.cache / entry / "half").exists()


def test_a_failed_attempt_leaves_nothing_in_the_cache(bags):
    file = bags.folder / "a.mcap"
    file.write_text("dear sir")
    for _ in range(2):
        with pytest.raises(BagError, match="nothing of the bag"):
            bags.open(file)
    assert [p.name for p in bags.cache.iterdir() if p.suffix != ".lock"] == []


def test_a_cache_that_cannot_be_used_is_named(bags):
    (bags.folder / "file").write_text("x")
    with pytest.raises(BagError, match=r"the cache .*file cannot be used: .*\.$"):
        bags.open(bags.write(), bags.folder / "file")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere", r"there is no bag at .*nowhere\.$"),
        ("folder", r"is not a bag: the folder has no \.mcap, \.db3 or \.bag file\.$"),
        ("letter.txt", r"is not a bag, expected a folder, a \.mcap, a \.db3 or a \.bag file\.$"),
    ],
)
def test_what_is_no_bag_is_refused_in_one_sentence(bags, name, sentence):
    (bags.folder / "folder").mkdir()
    (bags.folder / "letter.txt").write_text("dear sir")
    with pytest.raises(BagError, match=sentence) as refusal:
        bags.open(bags.folder / name)
    assert os.linesep not in str(refusal.value)
