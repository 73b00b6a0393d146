"""`export`: any corpus that can be read, in a format of other tools, with its newest captions."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from budew.addresses import is_address
from budew.corpora.clip import CAPTION_KINDS, Caption, Clip
from budew.corpora.manifest import named_audio
from budew.corpora.media import AUDIO
from budew.corpora.overlap import check_no_overlap
from budew.corpora.sources import matches, read
from budew.corpora.writers.writer import check_options, write
from budew.errors import InputError, OnBad
from budew.randomness import generator

CAPTIONS = ("newest", *CAPTION_KINDS, "all")
"""Which captions of a clip are exported, by what wrote them."""
PICKS = ("all", "first", "random")
"""How many of these."""

_WRITTEN = {
    "parquet": ("clips-00000.parquet",),
    "jsonl": ("clips.jsonl", "audio/{1}{0}"),
    "parler": ("clips-00000.parquet",),
    "ljspeech": ("clips.jsonl", "metadata.csv", "wavs/{1}.wav"),
    "lhotse": ("recordings.jsonl.gz", "supervisions.jsonl.gz", "audio/{1}{0}"),
}
"""Files of each format that `read` takes, where `{0}` and `{1}` are suffix and name of the source's audio."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Outcome of an export.

    Attributes:
        clips: how many were written.
        written: captions that were written, by what wrote them ("paraphrase", "render", "model", "original").
        left_out: captions of these clips that were not.
    """

    clips: int
    written: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


def export(
    source: str | Path,
    out: str | Path,
    *,
    to: str,
    clips_per_file: int | None = None,
    caption: str = "newest",
    pick: str | None = None,
    seed: int = 0,
    sampling_rate: int | None = None,
    overwrite: bool = False,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Write a corpus in another format; return what was written.

    `out` is complete or unchanged, and does not overlap the source. The same clips and options give the same
    bytes.

    Args:
        source: anything that `budew.read` takes.
        out: folder; empty, or of an earlier export, which is replaced.
        to: "parquet", "jsonl", "parler", "ljspeech" or "lhotse".
        clips_per_file: for parquet and parler; 1,000 by default.
        caption: "paraphrase" (accepted by the gate), "render" (of the profile), "original" (of the corpus),
            "all", or "newest", the first of the first three that a clip has.
        pick: "all" of these captions, the "first", or one at "random", which depends on the seed and the clip
            alone; by default the first for parler, all for the others.
        seed: of "random".
        sampling_rate: Hz, for ljspeech; 22,050 by default.
        overwrite: write into a folder that holds other files; those of the same name are replaced.
        on_bad: called with the error of each item that cannot be read or written, and the export continues;
            without it the error is raised.
        progress: called with the number of clips that were read.

    Raises:
        InputError: an unknown format, caption or pick, or an option that the format does not have.
        CorpusError: no corpus, no clip, `out` holds other files or those of the source, is being written by
            another export, or lies where the source is searched.
        OSError: the disk refuses.
    """
    check_options(to, clips_per_file=clips_per_file, sampling_rate=sampling_rate)
    pick = pick or ("first" if to == "parler" else "all")
    for name, value, known in (("caption", caption, CAPTIONS), ("pick", pick, PICKS)):
        if value not in known:
            raise InputError(f"{value!r} is not one of the values of {name}: use one of {', '.join(known)}")
    _check_no_overlap(source, to, Path(out))
    result = Exported(0)

    def chosen() -> Iterator[Clip]:
        for count, clip in enumerate(read(source, on_bad=on_bad), 1):
            kept = _picked(clip, caption, pick, seed)
            written, known = (Counter(one.kind for one in some) for some in (kept, clip.captions))
            result.written.update(written)
            result.left_out.update(known - written)
            yield replace(clip, captions=kept)
            if progress:
                progress(count)

    options = {"clips_per_file": clips_per_file, "sampling_rate": sampling_rate}
    count = write(out, chosen(), to=to, overwrite=overwrite, on_bad=on_bad, **options)
    return replace(result, clips=count)


def _check_no_overlap(source: str | Path, to: str, out: Path) -> None:
    """Raise where the export would replace what it reads, or be read by the next one."""
    entries = [] if is_address(source) else matches(source, on_bad=lambda error: None)  # `read` reports it
    files = [Path(entry) for entry in entries if not isinstance(entry, str)]
    folders = {audio.parent for path in files for audio in named_audio(path)}
    names = {path.suffix: path.stem for path in files if AUDIO.owns(path)}  # all fit the same pattern
    written = (name.format(*one) for name in _WRITTEN[to] for one in names.items() or [(".flac", "a")])
    check_no_overlap(source, (*files, *folders), list(written), out)


def _picked(clip: Clip, caption: str, pick: str, seed: int) -> tuple[Caption, ...]:
    if caption == "newest":
        kept = clip.newest_captions
    else:
        kept = tuple(one for one in clip.captions if caption in ("all", one.kind))
    if pick == "random" and kept:
        return (generator(seed, clip.id, "caption").choice(kept),)
    return kept[:1] if pick == "first" else kept
