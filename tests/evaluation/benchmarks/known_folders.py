"""Folders in the naming scheme of known corpora, and captions of a model that is not run."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import soundfile

from budew.captions.parse import parse
from budew.corpora import Clip
from budew.evaluation.pairs import Skipped
from budew.evaluation.prediction_files import Prediction
from budew.profile import VoiceProfile

EMODB = {
    "10a01Wa": "anger", "10a02Nb": "neutral", "10b01Ta": "sadness", "10b02Fa": "happiness",
    "13a01Wa": "anger", "13a02Nb": "neutral", "13b01Lb": "boredom", "13b02Ea": "disgust", "13b03Ac": "fear",
    "03a01Wa": "anger",
}  # fmt: skip
NEMO = {
    f"{who}0_{label}_{number}": label
    for number, label in enumerate(("anger", "fear", "happiness", "neutral", "sadness", "surprised"))
    for who in ("AB", "CD", "EF")
}
DEEPLY = {
    "0C1S_4_8_0_27_0_1_1": "coughing", "0C1S_5_8_0_27_0_1_1": "yawning", "1K2T_4_2_1_33_0_0_0": "coughing",
    "1K2T_12_2_1_33_0_0_0": "laughing", "2M3U_0_1_1_14_0_0_0": "teeth-chattering",
}  # fmt: skip
LIBRISPEECH = {"367-130732-0000": "read", "367-130732-0001": "read", "533-131556-0000": "read"}
GENDERS = "367 | F | test-other\n533 | M | test-other\n"


def folder_of(names: Iterable[str], folder: Path) -> Path:
    """Half a second of sound under each name, another for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        samples = 0.3 * np.sin(np.arange(8_000) * (0.05 + 0.01 * number))
        soundfile.write(folder / f"{name}.wav", samples, 16_000)
    return folder


class SaidCaptions:
    """Captions by id, as `CaptionCache` gives them; those of samples may differ."""

    name = "said"

    def __init__(self, say: Callable[[Clip], str], sampled: Mapping[str, float] | None = None) -> None:
        self.say, self.sampled, self.num_samples = say, sampled, 16 if sampled else 0

    def predict(
        self, corpus: str, audio: Path, clips: Iterable[Clip], skipped: list[Skipped], progress=None
    ) -> dict[str, Prediction]:
        means = None if self.sampled is None else VoiceProfile(self.sampled)
        said = {clip.id: self.say(clip) for clip in clips}
        skipped += [Skipped(id, "no sound") for id, text in said.items() if text == "damaged"]
        return {
            id: Prediction(parse(text).profile, text, means) for id, text in said.items() if text != "damaged"
        }
