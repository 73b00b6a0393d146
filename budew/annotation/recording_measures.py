"""Measures of the recording, not the voice: loudness, noise, clarity of the room (C50), bandwidth.

They are measured at the sampling rate of the file, since resampling would remove noise.

- Loudness: ITU-R BS.1770 with both gates, of one channel. A clip shorter than a block of 0.4 s is one block.
- Noise: the floor of each frequency band, found in the quietest frames of that band (minimum statistics;
  Martin, IEEE Trans. Speech and Audio Processing 9, 2001), so that a clip needs no pause, only gaps between
  syllables. The ratio is that of the mean powers over the whole clip.
- Room: sound cannot decay faster than the room lets it, so the steepest decays of the level in octave bands
  show the reverberation (Wen, Habets & Naylor, ICASSP 2008). The slope is mapped to C50, the ratio of the
  energy of the first 50 ms to that of the rest, as calibrated on simulated rooms.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.io.resources import packaged_table

FLOOR = -120.0
"""Lowest level in dBFS (0: a full-scale square wave); 24 bits end at -144, 16 bits at -96."""
FEWEST_DECAYS = 20
"""Fewest decays from which clarity is measured."""
Floats = NDArray[np.float64]


def decibels(power: Floats | float) -> Floats:
    """Convert power to dBFS, at least `FLOOR`."""
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (FLOOR / 10))))


def recording_measures(samples: NDArray[np.float32], rate: int) -> dict[str, float]:
    """Return `loudness` (LUFS), `snr` (dB), `c50` (dB) and `bandwidth` (Hz), as far as they can be measured.

    `samples` (n,) are mono at `rate` Hz, in [-1, 1], and not silent. Digital silence at the ends,
    such as the padding of an encoder, is no noise floor.
    """
    centred = samples.astype(np.float64) - samples.mean()
    sounding = np.flatnonzero(np.abs(samples) > 10 ** (_table()["digital_silence"] / 20))
    spectra = _power_spectra(centred[sounding[0] : sounding[-1] + 1], rate)
    found: dict[str, float | None] = {
        "loudness": loudness(centred, rate),
        "snr": signal_to_noise(spectra, rate),
        "c50": clarity(spectra, rate),
        "bandwidth": bandwidth(spectra, rate),
    }
    return {name: value for name, value in found.items() if value is not None}


def loudness(samples: Floats, rate: int) -> float | None:
    """Return the integrated loudness in LUFS; None if no block is above the absolute gate."""
    table = _table()
    spectrum = np.fft.rfft(samples)
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(samples), 1 / rate) / 48_000)
    for above, below in table["k_weighting"]:
        spectrum *= np.abs(np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn))
    energy = np.concatenate(([0.0], np.cumsum(np.square(np.fft.irfft(spectrum, len(samples))))))
    block = min(round(table["block"] * rate), len(samples))
    starts = np.arange(0, len(samples) - block + 1, max(block // 4, 1))
    powers = (energy[starts + block] - energy[starts]) / block
    kept = powers[decibels(powers) + table["offset"] > table["absolute_gate"]]
    if not len(kept):
        return None
    kept = kept[decibels(kept) > decibels(float(kept.mean())) + table["relative_gate"]]
    return float(decibels(float(kept.mean())) + table["offset"])


def signal_to_noise(spectra: Floats, rate: int) -> float:
    """Return the ratio of the mean power of a clip, without its noise, to that of the noise in dB."""
    power, most = float(spectra.sum(axis=1).mean()), float(_table()["most_snr"])
    noise = float((_floors(_noise_bands(spectra, rate)) * _floor_bias(rate)).sum())
    ratio = max(power - noise, noise / 10) / max(noise, power * 10 ** (-most / 10))
    return min(10 * float(np.log10(ratio)), most)


def clarity(spectra: Floats, rate: int) -> float | None:
    """Return C50 in dB, estimated from the steepest decays; None if there are too few."""
    table = _table()
    edges = [round(edge * table["frame"]) for edge in table["decay_bands"] if edge < rate / 2]
    if len(edges) < 2 or len(spectra) < table["decay_frames"]:
        return None
    bands = np.add.reduceat(spectra[:, : edges[-1]], edges[:-1], axis=1)
    floors, levels = decibels(_floors(bands)), decibels(bands)
    runs = np.lib.stride_tricks.sliding_window_view(levels, table["decay_frames"], axis=0)
    steps = np.arange(table["decay_frames"]) - (table["decay_frames"] - 1) / 2
    slopes = runs @ steps / (steps @ steps) / table["hop"]
    begins = runs[..., 0] > np.percentile(levels, 95, axis=0) - table["top"]
    decays = -slopes[begins & (runs[..., -1] > floors + table["above"]) & (slopes < 0)]
    if len(decays) < FEWEST_DECAYS:
        return None
    steep = float(np.quantile(decays, 1 - table["steepest"]))
    fit = table["c50"]
    return min(max(float(fit["gain"] * np.log(steep) - fit["offset"]), 0.0), float(fit["most"]))


def bandwidth(spectra: Floats, rate: int) -> float:
    """Return the highest frequency in Hz with a mean power near that of the strongest one."""
    step, band = rate / 2 / (spectra.shape[1] - 1), _table()["bandwidth"]
    width = max(round(band["smoothing"] / step), 1)
    power = np.convolve(spectra.mean(axis=0), np.ones(width) / width, mode="same")
    strong = np.flatnonzero(decibels(power) >= decibels(float(power.max())) - band["range"])
    is_full = strong[-1] == len(power) - 1
    return rate / 2 if is_full else float((strong[-1] - width // 2) * step)


def _power_spectra(samples: Floats, rate: int) -> Floats:
    """Return the power of each frame and frequency; a row adds up to the mean square of its frame."""
    size = 2 * round(_table()["frame"] * rate / 2)
    window, hop = np.hanning(size), round(_table()["hop"] * rate)
    padded = np.pad(samples, (0, max(size - len(samples), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    power = np.square(np.abs(np.fft.rfft(frames * window, axis=1))) / (np.square(window).sum() * size)
    power[:, 1:-1] *= 2  # negative frequencies
    return np.asarray(power)


def _noise_bands(spectra: Floats, rate: int) -> Floats:
    edges = [round(edge * _table()["frame"]) for edge in _table()["noise_bands"] if edge < 0.45 * rate]
    return np.asarray(np.add.reduceat(spectra, edges, axis=1))


def _floors(bands: Floats) -> Floats:
    """Return the power of each band (column) in its quietest frames."""
    return np.asarray(np.quantile(bands, _table()["noise_share"], axis=0))


@cache
def _floor_bias(rate: int) -> Floats:
    """Return for each band by how much the mean power of white noise exceeds its floor."""
    noise = np.random.default_rng(0).standard_normal(10 * rate)
    bands = _noise_bands(_power_spectra(noise, rate), rate)
    return np.asarray(bands.mean(axis=0) / _floors(bands))


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = packaged_table(__package__, "recording")
    return table
