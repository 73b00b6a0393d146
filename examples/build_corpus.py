"""Build a captioned corpus from labelled clips, offline.

    clips ─▶ profile ─render─▶ template caption ─paraphrase + gate─▶ caption ─▶ Parquet

    python examples/build_corpus.py CLIPS OUT

CLIPS is anything that `budew.read` reads: shards, tables, manifests, a folder, `ravdess:FOLDER`. Its labels
become profiles; clips without labels are annotated first (docs/annotation.md). Run it again to resume.
"""

import sys
from pathlib import Path

from budew import read
from budew.corpora import ExportOptions, export_corpus
from budew.jobs import Render, run
from budew.paraphrase import Gate, GrammarBackend, Paraphrase, Rewriting


def main(clips: str, out: Path, workers: int | None = None) -> None:
    """Write the output of each stage to a folder in `out`, with one process for each core."""
    run(Render(per_clip=2, seed=7), clips, out / "captioned", workers=workers)

    rewriting = Rewriting(per_clip=2, seed=7, gate=Gate(tolerance=1))
    paraphrase = Paraphrase(GrammarBackend(), rewriting)  # or ChatBackend(…), for an LLM on a server
    run(paraphrase, out / "captioned", out / "paraphrased", workers=workers)

    export_corpus(out / "paraphrased", out / "parquet", ExportOptions("parquet"))

    for clip in read(out / "parquet"):
        print(clip.id, *(caption.text for caption in clip.captions), sep="\n  ")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
