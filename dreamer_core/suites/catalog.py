"""The suites that come with the package, by name."""

from importlib import resources

from dreamer_core.errors import UsageError


def shipped_names() -> list[str]:
    return sorted(item.name.removesuffix(".yaml") for item in _folder().iterdir() if item.name.endswith(".yaml"))


def describe_shipped() -> dict[str, str]:
    """Each of them and the comment on its first line."""
    return {name: read_shipped(name).splitlines()[0].lstrip("# ") for name in shipped_names()}


def read_shipped(name: str) -> str:
    if name not in shipped_names():
        raise UsageError(f"there is no suite {name!r} in the package; there are {', '.join(shipped_names())}")
    return (_folder() / f"{name}.yaml").read_text(encoding="utf-8")


def _folder() -> "resources.abc.Traversable":
    return resources.files("dreamer_core") / "suites" / "shipped"
