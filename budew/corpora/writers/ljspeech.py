"""LJSpeech's layout, which most trainers of text to speech read: `metadata.csv` and a folder `wavs`.

```
OUT/metadata.csv      anna%2F01|It costs 5 dollars.|It costs five dollars.
OUT/wavs/anna%2F01.wav
```

A line has a name, the text, and the text spelled out, without heading or quotes. The format has no escape, so
a `|` or a line break in a text becomes a space, and all white space one space. The third column is the
text that the metadata holds under a name such as `normalized_text`, else the second: numbers are not spelled
out here. Emotions and captions find no place.
"""

import io
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import soundfile

from budew.corpora.clip import Clip
from budew.corpora.writers.columns import known_columns, spoken_text, value_of, wordless
from budew.corpora.writers.expressed import expressed, write_audio, write_lines
from budew.corpora.writers.file_names import FileNames
from budew.corpora.writers.undamaged import undamaged
from budew.corpora.writers.whole_folder import write_folder
from budew.errors import OnBad


def write_ljspeech(
    out: str | Path,
    clips: Iterable[Clip],
    *,
    sampling_rate: int = 22_050,
    overwrite: bool = False,
    on_bad: OnBad | None = None,
) -> int:
    """Write `metadata.csv` and 16-bit mono wav files; return how many clips are in them.

    Told to `on_bad` are clips without transcript, longer than 600 s, or with audio that is damaged part way,
    which would lack words of the text.

    Args:
        out: folder; empty, or of an earlier export.
        clips: read once, one at a time.
        sampling_rate: Hz of the wav files; LJSpeech has 22,050.
        overwrite: write into a folder that holds other files.
        on_bad: called with the error of each clip that cannot be written; without it the error is raised.

    Raises:
        CorpusError: `out` holds other files, or there is no clip.
        OSError: the disk refuses.
    """

    def fill(folder: Path) -> int:
        (folder / "wavs").mkdir()
        names = FileNames(flat=True)

        def line(clip: Clip) -> str:
            said, spelled = _texts(clip)
            samples = undamaged(clip, sampling_rate)
            name = names.name(clip.id)
            wav = io.BytesIO()  # libsndfile does not say why a disk refuses
            soundfile.write(wav, samples, sampling_rate, format="WAV", subtype="PCM_16")
            write_audio(folder / "wavs" / f"{name}.wav", wav.getvalue())
            return f"{name}|{said}|{spelled}"

        with (folder / "metadata.csv").open("w", encoding="utf-8", newline="\n") as file:
            return write_lines(file, expressed(clips, line, on_bad=on_bad))

    return write_folder(out, fill, format="ljspeech", overwrite=overwrite)


def _texts(clip: Clip) -> tuple[str, str]:
    said = one_field(spoken_text(clip))
    if not said:
        raise wordless(clip)
    spelled = one_field(value_of(clip, known_columns()["normalized_text"], str) or "") or said
    (said + spelled).encode()  # may refuse half a character, and a file without a line is not to stay
    return said, spelled


def one_field(text: str) -> str:
    """Return a text as a field: no `|`, line break or control character, NFC, single spaces."""
    kept = (" " if letter == "|" or unicodedata.category(letter) == "Cc" else letter for letter in text)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
