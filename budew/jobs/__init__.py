"""Jobs over corpora: clips in, clips out, and a runner that never loses one."""

from budew.jobs.job import Job, JobError, OnFailed, each

__all__ = ["Job", "JobError", "OnFailed", "each"]
