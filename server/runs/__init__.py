"""Experiments and runs: what they are, who made them from what, and how they are found again."""
