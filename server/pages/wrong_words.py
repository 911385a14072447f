"""Every override that is wrong, not only the first: what each would be refused for."""

from collections.abc import Sequence

from dreamer_core.config.layers import ALIASES, parse_words
from dreamer_core.errors import ConfigError, UsageError
from server.configs.resolve import resolve
from server.errors import ApiError


def problems_of(preset: str, words: Sequence[str]) -> list[str]:
    """In the order of the words. One that is refused is left out, and the rest is tried again."""
    left, found = [], list[tuple[int, str]]()
    for place, word in enumerate(words):
        try:
            parse_words([word])
            left.append((place, word))
        except ConfigError as unread:
            found.append((place, str(unread)))
    while (error := _refusal([preset, *(word for _, word in left)])) is not None:
        guilty = [each for each in left if _is_about(error, each[1])]
        if not guilty:  # it is about all of them, or about none
            return [*_in_order(found), str(error)]
        found.append((guilty[0][0], str(error)))
        left = [each for each in left if each not in guilty]
    return _in_order(found)


def _refusal(words: Sequence[str]) -> ConfigError | ApiError | UsageError | None:
    try:
        resolve(words)
    except (ConfigError, ApiError, UsageError) as error:
        return error
    return None


def _is_about(error: Exception, word: str) -> bool:
    """An error may name a key, a section that the word is in, or a key in the section that it sets."""
    typed = word.partition("=")[0]
    key, named = ALIASES.get(typed, typed), getattr(error, "key", None) or getattr(error, "where", None) or ""
    return key == named or key.startswith(f"{named}.") or named.startswith(f"{key}.")


def _in_order(found: Sequence[tuple[int, str]]) -> list[str]:
    return [words for _, words in sorted(found)]
