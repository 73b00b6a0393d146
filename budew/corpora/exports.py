"""`export`: any corpus that is read here, in a format that others read."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from budew.addresses import check_local, is_address
from budew.audio.formats import is_audio_name
from budew.corpora.apart import check_apart
from budew.corpora.clip import Clip
from budew.corpora.named_audio import named_audio
from budew.corpora.sources import matches, read
from budew.corpora.writers import FORMATS
from budew.errors import OnBad
from budew.randomness import generator

CAPTIONS = ("first", "all", "random")
"""Which captions of a clip are exported."""

_WRITTEN = {
    "parquet": ("clips-00000.parquet",),
    "jsonl": ("clips.jsonl", "audio/{1}{0}"),
    "webdataset": ("clips-00000.tar",),
    "parler": ("clips-00000.parquet",),
    "ljspeech": ("metadata.csv", "wavs/{1}.wav"),
    "lhotse": ("audio/{1}{0}",),
}
"""Files of each format that are read here, of audio with its suffix and name."""


def export(
    source: str | Path,
    out: str | Path,
    *,
    to: str,
    clips_per_file: int | None = None,
    caption: str | None = None,
    seed: int = 0,
    sampling_rate: int | None = None,
    overwrite: bool = False,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write a corpus in another format; return how many clips were written.

    `out` is complete or as it was, and apart from the source. The same clips and options give the same bytes.

    Args:
        source: anything that `budew.read` takes.
        out: folder; empty, or of an earlier export, which is replaced.
        to: "parquet", "jsonl", "webdataset", "parler", "ljspeech" or "lhotse".
        clips_per_file: for the formats with several files: parquet, webdataset, parler; else 1,000.
        caption: "first", "all", or "random", which depends on the seed and the clip alone; left out, the
            first for parler, all for the others.
        seed: of "random".
        sampling_rate: Hz, for ljspeech; else 22,050.
        overwrite: write into a folder that holds other files; those of the same name are replaced.
        on_bad: called with the error of each item that cannot be read or written, and the work goes on;
            without it the error is raised.
        progress: called with the number of clips that were read.

    Raises:
        ValueError: a format or caption that does not exist, or an option that the format does not have.
        CorpusError: no corpus, no clip, `out` holds files of others, of the source or of an export that is
            at work, or lies where the source is looked for.
        OSError: the disk refuses.
    """
    write, options = _writer(to, clips_per_file=clips_per_file, sampling_rate=sampling_rate)
    which = _which_captions(to, caption)
    _check_apart(source, to, Path(out))
    clips = (_with_captions(clip, which, seed) for clip in _counted(read(source, on_bad=on_bad), progress))
    return write(out, clips, overwrite=overwrite, on_bad=on_bad, **options)


def _writer(to: str, **options: int | None) -> tuple[Callable[..., int], dict[str, int]]:
    if to not in FORMATS:
        raise ValueError(f"there is no format {to!r}: use one of {', '.join(FORMATS)}")
    write = getattr(import_module(f"budew.corpora.writers.{to}"), f"write_{to}")
    given = {name: value for name, value in options.items() if value is not None}
    for name in given.keys() - inspect.signature(write).parameters.keys():
        raise ValueError(f"{to} has no {name.replace('_', ' ')}: leave it out, or choose another format")
    return write, given


def _check_apart(source: str | Path, to: str, out: Path) -> None:
    """Raise where the export would replace what it reads, or be read by the next one."""
    check_local(out)
    entries = [] if is_address(source) else matches(source, on_bad=lambda error: None)  # the reading tells it
    files = [path for path in entries if isinstance(path, Path)]
    folders = {audio.parent for path in files for audio in named_audio(path)}
    names = {path.suffix: path.stem for path in files if is_audio_name(path)}  # all fit the same pattern
    written = (name.format(*one) for name in _WRITTEN[to] for one in names.items() or [(".flac", "a")])
    check_apart(source, (*files, *folders), list(written), out)


def _which_captions(to: str, caption: str | None) -> str:
    if caption is None:
        return "first" if to == "parler" else "all"
    if caption not in CAPTIONS:
        raise ValueError(f"there is no choice of captions {caption!r}: use one of {', '.join(CAPTIONS)}")
    if to == "ljspeech":
        raise ValueError("ljspeech holds no captions: leave the choice of captions out")
    return caption


def _with_captions(clip: Clip, which: str, seed: int) -> Clip:
    if which == "all" or not clip.captions:
        return clip
    one = clip.captions[0] if which == "first" else generator(seed, clip.id, "caption").choice(clip.captions)
    return replace(clip, captions=(one,))


def _counted(clips: Iterator[Clip], progress: Callable[[int], None] | None) -> Iterator[Clip]:
    for count, clip in enumerate(clips, 1):
        yield clip
        if progress:
            progress(count)
