"""The log of an experiment: what was expected of each seed group, what came of it, and what people concluded."""
