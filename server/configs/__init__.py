"""Presets, the schema of a config, and validating one before it becomes a run."""
