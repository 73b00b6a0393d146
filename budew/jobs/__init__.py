"""Jobs over corpora: clips in, clips out, and a runner that never loses one."""

from budew.errors import FilteredError, JobError
from budew.jobs.job import Job, OnFailed, each
from budew.jobs.runner import Progress, Summary, run

__all__ = ["FilteredError", "Job", "JobError", "OnFailed", "Progress", "Summary", "each", "run"]
