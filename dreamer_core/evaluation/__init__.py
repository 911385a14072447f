"""Playing without learning: the fixed cohort, its results and what they come to."""
