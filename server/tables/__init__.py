"""The database: one class per table, no behavior beyond questions about itself. `migrations/` makes the same tables."""

from server.tables.base import RunKind, RunState, metadata
from server.tables.files import Artifact, LogChunk
from server.tables.gates import Baseline, BaselineRun, Gate, GateResult, GateResultRun
from server.tables.jobs import Attempt, Job, JobNeed, Outcome, Worker
from server.tables.metrics import MetricChunk, MetricKey, MetricPyramid, MetricSeries, MetricStream, MetricTail
from server.tables.requests import RepeatedRequest
from server.tables.runs import Event, Experiment, Run, RunTag
from server.tables.suites import Delivery, Suite, SuiteRun, SuiteState, SuiteStep, Webhook

__all__ = [
    "Artifact",
    "Attempt",
    "Baseline",
    "BaselineRun",
    "Delivery",
    "Event",
    "Experiment",
    "Gate",
    "GateResult",
    "GateResultRun",
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
    "Suite",
    "SuiteRun",
    "SuiteState",
    "SuiteStep",
    "Webhook",
    "Worker",
    "metadata",
]
