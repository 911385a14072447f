"""The database: one class per table, no behavior beyond questions about itself. `migrations/` makes the same tables."""

from server.tables.base import RunKind, RunState, metadata
from server.tables.files import Artifact, LogChunk
from server.tables.jobs import Attempt, Job, JobNeed, Outcome, Worker
from server.tables.metrics import MetricChunk, MetricKey, MetricPyramid, MetricSeries, MetricStream, MetricTail
from server.tables.requests import RepeatedRequest
from server.tables.runs import Event, Experiment, Run, RunTag

__all__ = [
    "Artifact",
    "Attempt",
    "Event",
    "Experiment",
    "Job",
    "JobNeed",
    "LogChunk",
    "MetricChunk",
    "MetricKey",
    "MetricPyramid",
    "MetricSeries",
    "MetricStream",
    "MetricTail",
    "Outcome",
    "RepeatedRequest",
    "Run",
    "RunKind",
    "RunState",
    "RunTag",
    "Worker",
    "metadata",
]
