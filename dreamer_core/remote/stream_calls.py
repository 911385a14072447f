"""Following a run while it goes: what changes comes by itself, and a lost connection is taken up where it broke."""

import codecs
import time
from collections.abc import Iterator, Mapping
from contextlib import closing

from dreamer_core.remote.calls import Calls
from dreamer_core.remote.errors import RemoteError, Unreachable, Unreadable
from dreamer_core.remote.live import Live, parse
from dreamer_core.remote.transport import segment

_AGAIN_S = 1.0  # before connecting again; also between two streams of a server that ends them for its own reasons
_CHUNK = 1 << 20


class StreamCalls(Calls):
    def follow(self, run_id: str | None = None, cursor: str | None = None) -> Iterator[Live]:
        """What happens to a run from now on, or after `cursor`, until it has ended; without a run: to all, for ever.

        An event of kind `open` comes first, and again with each new connection.
        """
        path = "/live" if run_id is None else f"/runs/{segment(run_id)}/live"
        while True:
            for event in self._listen(path, cursor):
                cursor = event.cursor or cursor
                yield event
                if event.kind == "end":
                    return
            time.sleep(_AGAIN_S)

    def follow_log(self, run_id: str, tail: int = 200) -> Iterator[str]:
        """The last lines of a run's log, then what is added to it, until the run has ended."""
        path = f"/runs/{segment(run_id)}/log"
        answer = self._http.call("GET", path, params={"tail": tail})
        position = _size(answer.headers)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may come in two parts
        yield decoder.decode(answer.content)
        for event in self.follow(run_id):
            if event.kind in ("open", "log", "end"):
                while data := self._log_from(path, position):
                    position += len(data)
                    yield decoder.decode(data)

    def _listen(self, path: str, cursor: str | None) -> Iterator[Live]:
        """One connection, until it breaks."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": cursor} if cursor else {})}
        response = self._http.patiently(lambda: self._http.open(path, headers=headers))
        try:
            with self._http.foreseen(), closing(response):
                yield Live(kind="open", data=None, cursor=None)
                yield from parse(response.iter_lines())
        except Unreachable:
            return

    def _log_from(self, path: str, position: int) -> bytes:
        headers = {"Range": f"bytes={position}-{position + _CHUNK - 1}"}
        try:
            return self._http.call("GET", path, headers=headers).content
        except RemoteError as error:
            if error.status == 416:  # there is nothing more yet
                return b""
            raise


def _size(headers: Mapping[str, str]) -> int:
    try:
        return int(headers["X-Log-Size"])
    except (KeyError, ValueError):
        raise Unreadable("The server's answer to a question for a log does not say how long the log is.") from None
