"""Seeing what the world model sees, and what it dreams."""
