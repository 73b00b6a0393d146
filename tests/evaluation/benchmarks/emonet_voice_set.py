"""A small set in the published format of EmoNet-Voice Bench, with known ratings."""

import json
import random
from dataclasses import dataclass
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from budew.evaluation.benchmarks.emonet_voice import score_emonet_voice
from budew.evaluation.predictors import FilePredictor
from budew.statistics.resampling import Resampling
from tests.evaluation.conftest import vowel

CATEGORIES = ("Anger", "Sadness", "Jealousy & Envy", "Interest", "Relief", "Authenticity", "Arousal")
WRITTEN = {"Jealousy & Envy": "Jealousy_%26_Envy", "Interest": quote("Interest "), "Anger": "anger"}
VOICES = {"english": ("alloy", "onyx"), "german": ("nova",)}


@dataclass(frozen=True)
class Row:
    file: str
    category: str
    answers: dict[str, int]
    language: str
    voice: str

    @property
    def label(self):
        return 5 * sum(self.answers.values()) / len(self.answers)


def rated_rows(per_category=14, seed=3):
    """Clips with two, three and four of six raters who agree to some extent."""
    generator, rows = random.Random(seed), []
    for category in CATEGORIES:
        for number in range(per_category):
            strength = generator.choice((0, 0, 1, 2))
            raters = generator.sample(range(1, 7), (2, 3, 3, 4)[number % 4])
            answers = {
                f"human-{one}": min(2, max(0, strength + generator.choice((-1, 0, 0, 1)))) for one in raters
            }
            language = generator.choice(list(VOICES))
            voice = generator.choice(VOICES[language])
            file = f"{language}_{voice}_{len(rows):03d}.flac"
            rows.append(Row(file, category, answers, language[:2] if language == "english" else "de", voice))
    generator.shuffle(rows)
    return rows


def label_text(row):
    return str([{rater: {WRITTEN.get(row.category, row.category): a}} for rater, a in row.answers.items()])


def write_set(folder, rows, *, shards=2, **columns):
    """Write parquet shards: `audioId` (bytes and path), `label`, and more columns by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    audio = vowel(200, seconds=0.2)
    for shard in range(shards):
        table = [
            {"audioId": {"bytes": audio, "path": row.file}, "label": label_text(row)}
            | {name: values[row.file] for name, values in columns.items()}
            for row in rows[shard::shards]
        ]
        pq.write_table(pa.Table.from_pylist(table), folder / f"train-{shard:05d}-of-{shards:05d}.parquet")
    return folder


def write_scores(path, scores):
    """Write predictions: id → category → intensity, None for a line that predicts nothing."""
    lines = ({"id": id, **({} if one is None else {"emotions": one})} for id, one in scores.items())
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def emonet_voice_result(folder, scores=None, rows=None):
    """Score predictions, or half of what raters perceive, on a small set; return the results as from JSON."""
    rows = rows or rated_rows(3)
    scores = scores or {row.file: {row.category: 0.4 + row.label / 50} for row in rows}
    file = write_scores(folder / "scores.jsonl", scores)
    few = Resampling(resamples=5, permutations=3)
    found = score_emonet_voice(write_set(folder / "bench", rows), FilePredictor(file), settings=few)
    return json.loads(json.dumps(found.to_dict(), allow_nan=False))
