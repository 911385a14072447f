"""The web face: keeps experiments, runs, jobs and metrics in SQL, answers over REST and as pages. Knows no torch."""
