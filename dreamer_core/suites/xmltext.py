"""Text as XML can hold it: markup escaped, and what XML has no way to say left out."""

import re
from xml.sax.saxutils import escape

# XML 1.0 knows no control characters but tab and the two line ends, no halves of a character, and no U+FFFE, U+FFFF.
_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def possible(text: str) -> str:
    return _IMPOSSIBLE.sub("", text)


def escaped(text: str) -> str:
    """For an element and for an attribute in double quotes."""
    return escape(possible(text), {'"': "&quot;"})
