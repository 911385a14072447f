"""The store of contents: the same in a folder and behind fsspec, and nothing half-written when a disk is full."""

import errno
import hashlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
import pytest

from dreamer_core.errors import UsageError
from server.errors import UnavailableError
from server.files.places import Folder
from server.files.store import Incoming, Store, StoreFullError

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture(params=["path", "file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"path": str(tmp_path / "a"), "file": f"file://{tmp_path / 'b'}", "memory": f"memory://{tmp_path.name}"}
    yield Store(urls[request.param])
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def keep(store: Store, content: bytes) -> str:
    incoming = store.begin()
    incoming.write(content)
    sha256 = incoming.settle()
    incoming.keep()
    incoming.close()
    return sha256


def read(store: Store, sha256: str) -> bytes | None:
    file = store.open(sha256)
    if file is None:
        return None
    with file:
        return file.read()


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_content_is_kept_under_its_hash(store: Store) -> None:
    assert keep(store, b"hello") == HELLO
    assert read(store, HELLO) == b"hello"


def test_equal_content_is_kept_once(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    keep(store, b"hello")
    keep(store, b"hello")
    assert files_below(tmp_path) == [f"{HELLO[:2]}/{HELLO}"]


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.open(HELLO) is None


def test_removing_twice_is_as_good_as_once(store: Store) -> None:
    keep(store, b"hello")
    store.remove(HELLO)
    store.remove(HELLO)
    assert store.open(HELLO) is None


def test_what_is_closed_before_it_is_kept_leaves_nothing(tmp_path: Path) -> None:
    incoming = Store(str(tmp_path)).begin()
    incoming.write(b"hel")
    incoming.close()
    assert files_below(tmp_path) == []


def test_a_part_can_be_read(store: Store) -> None:
    keep(store, b"hello")
    file = store.open(HELLO)
    assert file is not None
    with file:
        file.seek(2)
        assert file.read(2) == b"ll"


def test_nothing_is_made_before_the_first_upload(tmp_path: Path) -> None:
    Store(str(tmp_path / "a")).open(HELLO)
    assert not (tmp_path / "a").exists()


def test_an_address_that_fsspec_does_not_know_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"DREAMGATE_ARTIFACTS: nonsense:// cannot be used"):
        Store("nonsense://bucket")


class TightFile(io.FileIO):
    """On a disk that has room for eight bytes."""

    def write(self, data: Any) -> int:
        room = 8 - self.tell()
        written = super().write(data[:room])
        if len(data) > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return written


class FullDisk(Folder):
    def create(self, name: str) -> BinaryIO:
        super().create(name).close()
        return cast("BinaryIO", TightFile(self.root / name, "wb"))


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path: Path) -> None:
    incoming = Incoming(FullDisk(tmp_path))
    incoming.write(b"12345678")
    with pytest.raises(StoreFullError, match="no room left"):
        incoming.write(b"9")
    incoming.close()
    assert files_below(tmp_path) == []


class ReadOnly(Folder):
    def create(self, name: str) -> BinaryIO:
        raise OSError(errno.EROFS, "Read-only file system")


def test_a_read_only_place_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="Read-only file system") as caught:
        Incoming(ReadOnly(tmp_path))
    assert "DREAMGATE_ARTIFACTS" in (caught.value.todo or "")


def test_a_store_that_does_not_work_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("where the folder should be")
    assert "Not a directory" in (Store(str(tmp_path / "file")).ping() or "")


def test_a_store_that_works_has_nothing_to_say(store: Store) -> None:
    assert store.ping() is None


def test_leftovers_of_a_killed_server_are_swept_and_fresh_uploads_are_not(tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    fresh = f"{int(time.time()) - 60}-b"
    for name in (f"{int(time.time()) - 90_000}-a", fresh, "not-ours"):
        (incoming / name).touch()
    keep(Store(str(tmp_path)), b"hello")
    assert sorted(os.listdir(incoming)) == sorted([fresh, "not-ours"])
