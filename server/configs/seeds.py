"""Which seeds an order asks for, where the list of seeds and a `seed=` among the words can both say it."""

from collections.abc import Sequence

from dreamer_core.config.layers import parse_words
from dreamer_core.errors import ConfigError


def seeds_of(words: Sequence[str], asked: Sequence[int] | None, of_config: int) -> list[int]:
    """The list counts, else the config's own. Words that say another than the list are refused, never dropped."""
    if not asked:
        return [of_config]
    said = parse_words(words).get("seed")
    if said is not None and [said] != [*dict.fromkeys(asked)]:
        listed = ", ".join(map(str, asked[:10])) + (", ..." if len(asked) > 10 else "")
        raise ConfigError("seed", f"is {said} here, and the seeds are {listed}: say it in Seeds (--seeds) alone")
    return [*dict.fromkeys(asked)]
