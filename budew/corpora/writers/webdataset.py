"""WebDataset shards for `webdataset.WebDataset` and for `datasets`; each is a tar by `write_shard`."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.shards import write_shard
from budew.corpora.writers.expressed import as_json, audio_bytes, expressed, parts
from budew.corpora.writers.whole_folder import write_folder
from budew.errors import OnBad


def write_webdataset(
    out: str | Path,
    clips: Iterable[Clip],
    *,
    clips_per_file: int = 1_000,
    overwrite: bool = False,
    on_bad: OnBad | None = None,
) -> int:
    """Write shards; return how many clips are in them.

    Args:
        out: folder; empty, or of an earlier export.
        clips: read once, one at a time.
        clips_per_file: as many clips go into each `clips-<number>.tar`.
        overwrite: write into a folder that holds other files.
        on_bad: called with the error of each clip that cannot be written; without it the error is raised.

    Raises:
        CorpusError: `out` holds other files, or there is no clip.
        OSError: the disk refuses.
    """

    def fill(folder: Path) -> int:
        packed = expressed(clips, _packed, on_bad=on_bad)
        return sum(
            write_shard(folder / f"clips-{number:05d}.tar", part)
            for number, part in enumerate(parts(packed, clips_per_file))
        )

    return write_folder(out, fill, format="webdataset", overwrite=overwrite)


def _packed(clip: Clip) -> Clip:
    """Return a clip that `write_shard` does not refuse: one that it refuses costs the shard."""
    as_json(clip.to_dict())
    return replace(clip, audio=audio_bytes(clip))
