"""`budew corpus duplicates`: groups are shown and written, and what cannot be heard ends with status 1."""

import json

import numpy as np
import soundfile


def test_copies_are_shown_and_written(budew, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    samples = np.random.default_rng(1).integers(-9_999, 9_999, 48_000, np.int16)
    soundfile.write(folder / "one.wav", samples, 16_000)
    soundfile.write(folder / "two.flac", samples, 16_000)
    soundfile.write(folder / "other.flac", samples[::-1], 16_000)
    outcome = budew("corpus", "duplicates", folder, "--json", tmp_path / "d.json", "--workers", "0")
    assert outcome.status == 0
    assert "clips too many: 1" in outcome.out
    told = json.loads((tmp_path / "d.json").read_text())
    assert [group["keep"] for group in told["groups"]] == ["one"]
    assert [clip["id"] for clip in told["groups"][0]["clips"]] == ["one", "two"]


def test_what_cannot_be_heard_is_told(budew, talk):
    outcome = budew("corpus", "duplicates", talk, "--workers", "1")
    assert outcome.status == 1
    assert "c.mp3" in outcome.err or "'c'" in outcome.err
    assert "more than once: 0" in outcome.out
