"""The colours of every picture we draw: light ink on a dark ground, green for watching, red for dreams."""

BACKGROUND = "#16181d"
INK = "#e8eaed"
FAINT = "#4a4f59"
WATCHING = "#3fb950"
DREAMING = "#f85149"
RECONSTRUCTED = "#58a6ff"


def rgb(color: str) -> tuple[int, int, int]:
    """`#rrggbb` to bytes."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue
