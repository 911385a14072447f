"""The folder of a run: where things lie, what the run was, and who may write there. Knows no torch."""
