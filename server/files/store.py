"""Where the bytes of artifacts lie, each content once under its hash: a local folder, or anywhere fsspec reaches."""

import errno
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import BinaryIO

from server.errors import UnavailableError
from server.files.places import Place, place_at

_INCOMING = "incoming"
_ABANDONED_S = 86_400  # an upload that began so long ago died with its server


class StoreFullError(UnavailableError):
    """No room for what was sent. Trying again helps only after somebody has made some."""

    status, code = 507, "no_space"


class Incoming:
    """Bytes on their way in, under a temporary name: write, settle, keep; and close, whatever happened."""

    def __init__(self, place: Place) -> None:
        self.size = 0
        self._place = place
        self._hash = hashlib.sha256()
        self._name = f"{_INCOMING}/{int(time.time())}-{secrets.token_hex(8)}"
        with _explained():
            self._file = place.create(self._name)

    def write(self, data: bytes) -> None:
        with _explained():
            self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def settle(self) -> str:
        """All of it is there; returns its hash. What takes long is done here, before anybody takes a lock."""
        with _explained():
            self._place.settle(self._file)
        return self._hash.hexdigest()

    def keep(self) -> None:
        """Give it its place, unless the same content has it. Call where the row is written, see content.py."""
        name = _name(self._hash.hexdigest())
        with _explained():
            if not self._place.exists(name):
                self._place.move(self._name, name)

    def close(self) -> None:
        """Throw away what was not kept."""
        with suppress(OSError):  # a full disk fails to close too, and has said so before
            self._file.close()
        with suppress(OSError):
            self._place.remove(self._name)


class Store:
    """`url` is a path, file:///path, or an address that fsspec knows. Nothing is made before the first upload."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._place = place_at(url)
        self._is_swept = False

    def begin(self) -> Incoming:
        if not self._is_swept:
            self._is_swept = True
            self._sweep()
        return Incoming(self._place)

    def open(self, sha256: str) -> BinaryIO | None:
        """None where the content is not, or no longer, there."""
        with _explained(), suppress(FileNotFoundError):
            return self._place.open(_name(sha256))
        return None

    def remove(self, sha256: str) -> None:
        """Call where it is sure that no row names it, see content.py."""
        with _explained():
            self._place.remove(_name(sha256))

    def ping(self) -> str | None:
        """What is wrong with the store, in a sentence; None if a file can be written, read and removed."""
        try:
            with closing(self.begin()) as incoming:
                incoming.write(b"ping")
                incoming.settle()
        except UnavailableError as error:
            return error.message
        return None

    def _sweep(self) -> None:
        """Drop what a killed server had received by half."""
        with suppress(OSError):
            for name in self._place.names(_INCOMING):
                began = name.partition("-")[0]
                if began.isdecimal() and int(began) < time.time() - _ABANDONED_S:
                    self._place.remove(f"{_INCOMING}/{name}")


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFullError(
                "There is no room left where artifacts are kept; nothing of this file was.",
                todo="Free some space there (DREAMGATE_ARTIFACTS), then send it again.",
            ) from error
        raise UnavailableError(
            f"The place where artifacts are kept does not work: {error.strerror or error}.",
            todo="See that the server may write to DREAMGATE_ARTIFACTS and that it is reachable.",
        ) from error
