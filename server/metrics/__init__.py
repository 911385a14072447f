"""The metrics store: appending by offset, folding into chunks, and curves whose cost is their width in pixels."""
