"""Jobs over corpora: clips in, clips out, on this machine or a cluster, resumable after any interruption.

A **unit** is a part of the source that becomes one output shard. A **record** beside each complete shard says
that its unit is done. A resumed job runs the units without a current record, so any number of processes,
machines and restarts gives the same bytes.

    source ──units──▶ Plan ──▶ WorkerPool, or a cluster ──▶ run_unit: read, job.run, write shard, then record

| module | content |
|---|---|
| `job` | what a job is: a function from clips to clips, with its settings |
| `units` | source → units: shards, ranges of rows, groups of files, ranges of clip numbers |
| `plan` | `Plan` and `run`: which units are done, running the others, the summary |
| `workers` | a pool of processes that notices a dead one, and stops on Ctrl-C |
| `cluster` | the same units on Slurm or Ray |
| `unit_runner` | one unit: read, run the job, write the shard, then its record |
| `job_folder` | the output: shards, records, `failures.jsonl`, and `job.json`, whose job the folder is |
| `convert`, `render` | two jobs: decode and check audio, render captions |

Other jobs are in the package that they use, such as `inference/caption_corpus.py`. To add a job, write a
class with the methods of `Job`, and a command in the module of its group, such as
`cli/corpus_jobs.py`, that passes it to `run_job`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
