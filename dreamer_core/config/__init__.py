"""Everything that can change a run, in one frozen tree that is checked at the door."""

from dreamer_core.config.identity import family, fingerprint
from dreamer_core.config.layers import load_config, preset_names
from dreamer_core.config.parse import from_mapping, to_mapping
from dreamer_core.config.tree import Config

__all__ = ["Config", "family", "fingerprint", "from_mapping", "load_config", "preset_names", "to_mapping"]
