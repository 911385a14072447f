"""Suites: applied from files, run on demand and on schedule, judged when their jobs are over, told to who listens."""
