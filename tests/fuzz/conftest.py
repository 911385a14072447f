"""The fixtures of the server's tests, here too."""

from tests.server.conftest import clock, database, database_url, house, postgres_url, wake_ups

__all__ = ["clock", "database", "database_url", "house", "postgres_url", "wake_ups"]
