"""How fast, on what: measurements of a configuration on this machine."""
