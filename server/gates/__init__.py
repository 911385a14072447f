"""Baselines, gates and verdicts: the core's pure functions, fed from stored runs, and what they came to kept."""
