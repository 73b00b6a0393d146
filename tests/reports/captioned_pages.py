"""A page of captioned recordings."""

import numpy as np
import soundfile

from budew.inference import CaptionedRecording, FailedRecording, WindowCaption
from budew.inference.captioned_recording import NO_SPEECH
from budew.inference.file_captioning import from_paths
from budew.profile import VoiceProfile
from budew.reports.captions_page import captions_html
from budew.taxonomy import EMOTIONS

SAD = VoiceProfile({"Sadness": 1, "Fear": 0.25}, ["Relief Sigh"], {"gender": "female", "Valence": -2.0})
ANGRY = VoiceProfile({"Anger": 0.5})


def recordings(folder):
    """Return a recording of 6 s, loud in its second half, a short one, and one that is text."""
    loudness = np.repeat([0.1, 0.8], 24_000)
    soundfile.write(folder / "long.wav", loudness * np.sin(np.arange(48_000)), 8000)
    soundfile.write(folder / "short.flac", np.full(8000, 0.1) * np.sin(np.arange(8000)), 8000)
    (folder / "none.wav").write_text("<script>alert(1)</script>")
    return [folder / name for name in ("long.wav", "short.flac", "none.wav")]


def results(paths):
    windows = (
        WindowCaption(0, 2, "She sobs. </script><b>", SAD),
        WindowCaption(2, 3, NO_SPEECH, VoiceProfile()),
        WindowCaption(3, 6, "An angry voice.", ANGRY),
    )
    pooled = VoiceProfile({"Sadness": 0.4, "Anger": 0.3})
    all_of_them = VoiceProfile(dict.fromkeys(EMOTIONS, 0.75))
    long, short, none = map(str, paths)
    return (
        CaptionedRecording(long, 6.0, windows, pooled),
        CaptionedRecording(
            short, 1.0, (WindowCaption(0, 1, "All at once.", all_of_them),), all_of_them, damaged="cut"
        ),
        FailedRecording(none, "<script>no audio</script>"),
    )


def page(folder):
    paths = recordings(folder)
    return captions_html([result.to_dict() for result in results(paths)], from_paths(paths)[0])
