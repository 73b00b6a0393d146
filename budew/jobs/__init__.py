"""Jobs over corpora: clips in, clips out, on this machine or a cluster, resumable after any interruption.

A `Plan` divides a source into units; each unit is read, passed through the job and written as one shard. A
record beside each complete shard says that it is done, so any number of processes, machines and restarts give
the same bytes.

| module | content |
|---|---|
| `job` | what a job is: a function from clips to clips, with its settings |
| `plan` | `Plan` and `run`: which units are done, running the others, the summary |
| `units` | source → units: shards, ranges of rows, groups of files, ranges of clip numbers |
| `unit_runner` | one unit: read, run the job, write the shard, then its record |
| `shard_records` | `notes/NAME.json` of each shard; `failures.jsonl` and `left_out.jsonl` from all of them |
| `job_folder` | `job.json`: a folder holds the output of one job, and one run at a time |
| `workers` | a pool of processes that notices a dead one, and stops on Ctrl-C |
| `cluster` | the same units on Slurm or Ray |
| `convert`, `render` | two jobs: decode and check audio, render captions |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
