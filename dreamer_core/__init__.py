"""The science of Dreamgate: DreamerV3 from a terminal, with no web, database or queue package."""

from dreamer_core.version import __version__

__all__ = ["__version__"]
