"""Short random names for rows: twelve characters that can be read aloud, typed, and put into an address."""

import secrets

# No vowels, so no words; no 0, 1, l, so no doubt.
_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"
LENGTH = 12


def new_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
