"""Jobs over corpora: clips in, clips out, on this machine or a cluster, resumable after any interruption."""

from budew.errors import FilteredError, JobError
from budew.jobs.job import Job, OnFailed, each
from budew.jobs.plan import Plan, Progress, Summary, run

__all__ = ["FilteredError", "Job", "JobError", "OnFailed", "Plan", "Progress", "Summary", "each", "run"]
