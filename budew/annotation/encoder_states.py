"""The hidden states of an encoder over a corpus, in one file: what heads are trained on.

One pass serves all heads. A row a clip is appended to the file, which is then mapped into memory, so that
training reads mini-batches and holds no corpus: a flattened clip takes positions × width × 2 bytes (2.3 MB at
the published 1,500 × 768, 77 kB at the 200 × 192 of tiny-synthetic), a pooled one 16 bytes × width.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budew.annotation.head_files import Layout, pool
from budew.annotation.heads import encoder_windows
from budew.audio.samples import warn_of_damage
from budew.corpora.sources import read
from budew.errors import AudioError, CorpusError, OnBad, report
from budew.io.addresses import is_address
from budew.io.disk import check_space, disk_errors
from budew.model.encoder import Encoder
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.scales import from_intensity

TARGETS: tuple[str, ...] = (*EMOTIONS, *ATTRIBUTES)
SCALE = "bud-e"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Clips that are not used, or in part.

    Attributes:
        bare: without a profile, which are skipped.
        unjudged: of which no emotion is rated, used for attributes alone.
        cut: longer than the window, which are encoded in part.
    """

    bare: int = 0
    unjudged: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """Clips with profiles, encoded.

    Attributes:
        states: (clips, positions × width), float16; or pooled, (clips, 4 width), float32. A mapped file.
        targets: (clips, names): emotions on 0 to 4, attributes on their own scales, NaN where unknown.
        speakers: of each clip; its id where it is unknown.
        positions: hidden states in a row of `states`; 1 if they are pooled.
        skipped: counts.
        names: of the columns of `targets`.
    """

    states: NDArray[np.floating]
    targets: NDArray[np.float32]
    speakers: tuple[str, ...]
    positions: int = 1
    skipped: Skipped = Skipped()
    names: tuple[str, ...] = TARGETS


def encode_corpus(
    corpus: str | Path,
    encoder: Encoder,
    file: Path,
    *,
    layout: Layout = "pooled",
    batch_size: int = 16,
    on_bad: OnBad | None = None,
    progress: Callable[[int], None] | None = None,
) -> Encoded:
    """Run the encoder over the clips of a corpus that have profiles; a clip up to the window's end.

    Flattened states are large: clips are counted first, but for those of an address, and the disk checked.

    Args:
        file: new file for the states; its folder exists.
        layout: of the heads that take them.

    Other arguments and errors are those of `train_heads`.
    """
    flattened = layout == "flattened"
    positions, kind = (encoder.positions, np.dtype("<f2")) if flattened else (1, np.dtype("<f4"))
    if flattened and not is_address(corpus):
        clips, each = _clips(corpus), positions * encoder.width * kind.itemsize
        check_space(
            file.parent, clips * each, f"encoder states of {clips:,} clips, {each / 1e6:.2f} MB each,"
        )
    targets: list[list[float]] = []
    speakers: list[str] = []
    skipped = Counter[str]()

    def first_windows() -> Iterator[NDArray[np.float32]]:
        for clip in read(corpus, on_bad=on_bad):
            if clip.profile is None:
                skipped["bare"] += 1
                continue
            cut = encoder_windows(clip, encoder)
            try:
                first, more = next(cut), next(cut, None)
            except AudioError as error:
                report(error, on_bad)
                continue
            warn_of_damage(first.damage)
            skipped["cut"] += more is not None
            skipped["unjudged"] += not clip.profile.rated
            targets.append(targets_of(clip.profile))
            speakers.append(clip.speaker or clip.id)
            yield first.samples

    windows = first_windows()
    with disk_errors(file.parent), file.open("xb") as written:
        while batch := list(islice(windows, batch_size)):
            states = encoder.states(batch)
            rows = states.flatten(1) if flattened else pool(states)
            written.write(rows.cpu().numpy().astype(kind).tobytes())
            if progress:
                progress(len(speakers))
    shape = (len(speakers), file.stat().st_size // kind.itemsize // max(len(speakers), 1))
    states_map = np.memmap(file, kind, "r", shape=shape) if speakers else np.zeros((0, 1), kind)
    return Encoded(
        states_map,
        np.array(targets, np.float32).reshape(-1, len(TARGETS)),
        tuple(speakers),
        positions,
        Skipped(**skipped),
    )


def _clips(corpus: str | Path) -> int:
    """Count the clips that have a profile; what cannot be read is reported by the pass that follows."""

    def ignore(error: CorpusError) -> None:
        """Pass it over."""

    with suppress(CorpusError):
        return sum(clip.profile is not None for clip in read(corpus, on_bad=ignore))
    return 0


def targets_of(profile: VoiceProfile) -> list[float]:
    """Return what the heads are to predict of a profile, as a row of `Encoded.targets`."""
    emotions = [
        from_intensity(float(value), SCALE) if value == value else np.nan for value in profile.vector()
    ]
    return [*emotions, *(float(profile.traits.get(name, np.nan)) for name in ATTRIBUTES)]
