"""Live streams: what comes is told once and in order, over any number of connections."""

import httpx2
import pytest

from dreamer_core.remote import NotFound, Unreachable, stream_calls
from dreamer_core.remote.errors import Unreadable
from dreamer_core.remote.live import Live, parse
from tests.remote.fakes import REFUSED, Scripted, client_of, event_stream, refusal

METRICS = ("event: metrics", "id: m2", 'data: {"from": 0, "records": []}')
END = ("event: end", "id: m2-v9", "data: {}")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_calls, "_AGAIN_S", 0)


def test_lines_become_events() -> None:
    lines = [": still here", "", *METRICS, "", "retry: 2000", "", "data: 1", "data: 2", "", "event: cut", "data: 3"]
    assert list(parse(["data: [1,", "data: 2]", "", *lines[:6]])) == [
        Live(kind="message", data=[1, 2], cursor=None),
        Live(kind="metrics", data={"from": 0, "records": []}, cursor="m2"),
    ]


def test_an_event_that_is_not_json_is_told() -> None:
    with pytest.raises(Unreadable, match="not JSON"):
        list(parse(["data: <html>", ""]))


def test_a_broken_connection_is_taken_up_where_it_broke() -> None:
    server = Scripted(event_stream(METRICS), REFUSED, event_stream(END))
    events = list(client_of(server).follow("run"))
    assert [event.kind for event in events] == ["open", "metrics", "open", "end"]
    assert [request.headers.get("Last-Event-ID") for request in server.asked] == [None, "m2", "m2"]


def test_following_can_begin_behind_a_cursor() -> None:
    server = Scripted(event_stream(END))
    list(client_of(server).follow("run", cursor="m7"))
    assert server.asked[0].headers["Last-Event-ID"] == "m7"


def test_a_connection_that_breaks_in_the_middle_goes_on() -> None:
    class Cut(httpx2.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield ("\n".join(METRICS) + "\n\nevent: lo").encode()
            raise httpx2.ReadError("connection reset")

    server = Scripted(httpx2.Response(200, stream=Cut()), event_stream(END))
    assert [event.kind for event in client_of(server).follow("run")] == ["open", "metrics", "open", "end"]


def test_a_server_that_does_not_come_back_is_told() -> None:
    server = Scripted(event_stream(METRICS), REFUSED)
    events = client_of(server, patience_s=0.2).follow("run")
    assert [next(events).kind, next(events).kind] == ["open", "metrics"]
    with pytest.raises(Unreachable):
        next(events)


def test_a_run_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound):
        next(client_of(Scripted(refusal(404, "not_found", "There is no run."))).follow("run"))


class Log:
    """A log that grows each time a stream is opened."""

    def __init__(self, *parts: bytes) -> None:
        self.content, self.parts = parts[0], list(parts[1:])

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/live"):
            if not self.parts:
                return event_stream(END)
            self.content += self.parts.pop(0)
            return event_stream(("event: log", "id: l1", 'data: {"start": 0, "text": ""}'))
        asked = request.headers.get("Range")
        if asked is None:
            headers = {"X-Log-Start": "0", "X-Log-Size": str(len(self.content))}
            return httpx2.Response(200, content=self.content, headers=headers)
        first = int(asked.removeprefix("bytes=").split("-")[0])
        return httpx2.Response(206 if first < len(self.content) else 416, content=self.content[first:])


def test_a_log_is_followed_without_a_gap_until_the_run_has_ended() -> None:
    log = Log(b"one\n", b"two\n", b"three\n")
    assert "".join(client_of(log).follow_log("run")) == "one\ntwo\nthree\n"


def test_a_character_that_comes_in_two_parts_is_one_character() -> None:
    first, second = "ä\n".encode()[:1], "ä\n".encode()[1:]
    assert "".join(client_of(Log(b"", first, second)).follow_log("run")) == "ä\n"


def test_a_character_that_is_cut_where_the_tail_ends_is_whole() -> None:
    first, second = "ä\n".encode()[:1], "ä\n".encode()[1:]
    assert "".join(client_of(Log(first, b"", second)).follow_log("run")) == "ä\n"


def test_an_answer_that_is_no_log_is_told_as_such() -> None:
    page = httpx2.Response(200, text="<html>please log in</html>")
    with pytest.raises(Unreadable, match="how long the log is"):
        list(client_of(lambda _: page).follow_log("run"))
