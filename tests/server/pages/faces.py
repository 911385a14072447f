"""Asking for a resource as a browser does, as htmx does, and as a program does."""

from html.parser import HTMLParser

from starlette.testclient import TestClient

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HTMX = {"Accept": "*/*", "HX-Request": "true"}
PROGRAM = {"Accept": "application/json"}
_VOID = {"meta", "link", "input", "img", "br", "hr", "path", "circle", "source", "col"}


def open_page(client: TestClient, path: str) -> str:
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    check_html(answer.text)
    return answer.text


def get_part(client: TestClient, path: str) -> str:
    answer = client.get(path, headers=HTMX)
    assert answer.status_code == 200, answer.text
    check_html(answer.text)
    return answer.text


def check_html(text: str) -> None:
    """Every element that is opened is closed, in order; no id is there twice."""
    _Checker().check(text)


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()

    def check(self, text: str) -> None:
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> says something twice: {names}"
        assert "style" not in names, f"<{tag}> has a style of its own, which the page's policy forbids"
        assert not any(name.startswith("on") for name in names), f"<{tag}> has a script of its own"
        here = dict(attrs).get("id")
        assert here not in self.ids, f"two elements have the id {here}"
        if here is not None:
            self.ids.add(here)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        opened = self.open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"
