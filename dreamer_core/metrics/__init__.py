"""Numbers on their way to a file: their names, their means, and the lines they become."""
