"""Two kinds of place to keep files in, with the same few verbs: a local folder, and whatever fsspec reaches."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from dreamer_core.errors import UsageError
from dreamer_core.runs.atomic import sync_folder


class Place(Protocol):
    """Names are relative, with /. What goes wrong is an OSError; what is not there, FileNotFoundError."""

    def create(self, name: str) -> BinaryIO: ...
    def settle(self, file: BinaryIO) -> None:
        """Close a created file; from here on it survives a power cut, as far as the place can promise that."""

    def move(self, name: str, to: str) -> None: ...
    def open(self, name: str) -> BinaryIO: ...
    def exists(self, name: str) -> bool: ...
    def remove(self, name: str) -> None:
        """Nothing where it is not there."""

    def names(self, folder: str) -> list[str]: ...


class Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, name: str) -> BinaryIO:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")

    def settle(self, file: BinaryIO) -> None:
        with file:
            file.flush()
            os.fsync(file.fileno())

    def move(self, name: str, to: str) -> None:
        target = self.root / to
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).replace(target)
        sync_folder(target.parent)

    def open(self, name: str) -> BinaryIO:
        return (self.root / name).open("rb")

    def exists(self, name: str) -> bool:
        return (self.root / name).is_file()

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        return os.listdir(self.root / folder)


class Remote:
    """An address of fsspec: s3://bucket/path, memory://path ... What it needs beyond fsspec must be installed."""

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise UsageError(f"DREAMGATE_ARTIFACTS: {url.split('://')[0]}:// cannot be used: {error}") from error
        self._files: Any = files
        self._root = str(root).rstrip("/")

    def create(self, name: str) -> BinaryIO:
        path = self._path(name)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        return cast("BinaryIO", self._files.open(path, "wb"))

    def settle(self, file: BinaryIO) -> None:
        file.close()

    def move(self, name: str, to: str) -> None:
        self._files.makedirs(self._path(to).rpartition("/")[0], exist_ok=True)
        self._files.mv(self._path(name), self._path(to))

    def open(self, name: str) -> BinaryIO:
        return cast("BinaryIO", self._files.open(self._path(name), "rb"))

    def exists(self, name: str) -> bool:
        return bool(self._files.exists(self._path(name)))

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def names(self, folder: str) -> list[str]:
        return [str(path).rpartition("/")[2] for path in self._files.ls(self._path(folder), detail=False)]

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def place_at(url: str) -> Place:
    """A path, file:///path, or an address of fsspec."""
    if url.startswith("file://"):
        return Folder(Path(url.removeprefix("file://")))
    return Remote(url) if "://" in url else Folder(Path(url))
