"""Commands of the server, found by `dreamgate` through entry points."""
