"""Bytes that a run leaves behind: its log and its artifacts."""
