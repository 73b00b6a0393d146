"""Jobs over corpora: clips in, clips out, and a runner that never loses one."""

from budew.jobs.job import Job, JobError, OnFailed, each
from budew.jobs.runner import Progress, Summary, run

__all__ = ["Job", "JobError", "OnFailed", "Progress", "Summary", "each", "run"]
