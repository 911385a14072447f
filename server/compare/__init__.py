"""Runs and seed groups side by side, against a baseline: what a page shows and the API answers."""
