"""Data cards: the `README.md` of a corpus, with the front matter that the Hugging Face hub reads.

`CardCounts` counts clips while they are written; shards are counted apart and added up. `write_data_card`
fills in `model_cards/dataset.md.jinja` with the values that the hub knows, `model_cards/hub.yaml`.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from budew.audio.decoders import open_stream
from budew.corpora.clip import NOT_STATED, Clip
from budew.corpora.media import AUDIO, Media
from budew.corpora.named.definition import known_corpora
from budew.corpora.text_files import read_json_object
from budew.errors import AudioError, CorpusError
from budew.io.cards import CARD, keeps_own_card, render_card, write_sealed_card
from budew.io.resources import data_folder, packaged_yaml

RECORDS = "notes"
"""Folder with the records of shards in the output folder of a job, see `budew.jobs.job_folder`."""
LONGEST_VALUE, LONGEST_NAME = 80, 200
"""Longest setting that a card shows (of longer ones the digest), and longest name, in characters."""
_ISO = re.compile("[a-z]{2,3}")
_MAKERS = ("by", "backend", "model", "weights", "prompt")
"""Keys of `Caption.made_by` that do not differ from clip to clip."""
Step = Mapping[str, Any]
"""What made a corpus: `job`, `settings`, `version`."""


class CardCounts(defaultdict[str, Counter[str]]):
    """Numbers for a data card: "totals", and numbers of clips or captions by "license", "source", …"""

    def __init__(self, counts: Iterable[Mapping[str, Mapping[str, Any]]] = ()) -> None:
        super().__init__(Counter)
        for name, counted in (named for one in counts for named in one.items()):
            self[name].update(counted)

    def add(self, clip: Clip, media: Media = AUDIO) -> None:
        """Count a clip."""
        seconds = declared_seconds(clip) if media == AUDIO else None
        known = {"clips": True, "timed": seconds is not None, "transcripts": clip.transcript is not None}
        self["totals"].update({"seconds": seconds or 0.0, **known})
        speaker = clip.speaker and f"{clip.source or ''}/{clip.speaker}"
        stated = {"license": clip.stated_license, "source": clip.source, "language": clip.language}
        for name, value in {**stated, "speaker": speaker}.items():
            self[name].update([value] if value else ())
        for caption in clip.captions:
            made_by = (f"{key} {caption.made_by[key]}" for key in _MAKERS if key in caption.made_by)
            self["captions"].update([caption.kind])
            self["makers"].update(filter(None, [", ".join(made_by)]))


def declared_seconds(clip: Clip) -> float | None:
    """Return the duration of a clip, or else that in the header of its audio; None if both lack it."""
    if clip.duration is not None:
        return clip.duration
    try:
        with open_stream(clip.audio, f"clip {clip.id!r}") as stream:
            return stream.declared
    except AudioError:
        return None


def steps_of(shard: Path) -> list[Step]:
    """Return the jobs that made a shard, the first one first, by its record; [] if there is none."""
    path = shard.absolute()
    notes = (folder / RECORDS / path.relative_to(folder).with_suffix(".json") for folder in path.parents)
    record = next((note for note in notes if note.is_file()), None)
    try:
        found = {} if record is None else read_json_object(record)
    except CorpusError:  # it is not one of ours
        return []
    steps = [*(found.get("earlier") or []), found.get("made_by")]
    return [step for step in steps if isinstance(step, dict) and {"job", "settings", "version"} <= set(step)]


def write_data_card(
    folder: Path,
    counts: CardCounts,
    steps: Iterable[Step],
    *,
    format: str,
    media: Media = AUDIO,
    missing: tuple[int, int] = (0, 0),
) -> None:
    """Write the data card of a folder, unless it has one of its owner; `missing` failed and were left out."""
    if keeps_own_card(folder):
        return
    titles = {corpus.title: corpus for corpus in known_corpora().values()}
    hub = packaged_yaml(data_folder("model_cards") / "hub.yaml")
    text = render_card(
        "dataset",
        hub=hub,
        counts=counts,
        totals=counts["totals"],
        license_ids=sorted({_license_id(name, hub["licenses"]) for name in counts["license"]}),
        license_name=re.sub(r"[^a-z0-9.]+", "-", " ".join(counts["license"]).lower()).strip("-.")[
            :LONGEST_VALUE
        ],
        languages=sorted(
            filter(_ISO.fullmatch, {tag.partition("-")[0].lower() for tag in counts["language"]})
        ),
        corpora={source: titles[source] for source in sorted(counts["source"]) if source in titles},
        steps=list({json.dumps(step, sort_keys=True): step for step in steps}.values()),
        flattened=flattened,
        shown=_shown,
        format=format,
        media=media.name,
        missing=missing,
    )
    write_sealed_card(folder / CARD, text.encode(errors="backslashreplace").decode())


def flattened(value: Any, name: str = "") -> dict[str, str]:
    """Return settings as JSON by dotted name."""
    if not isinstance(value, Mapping) or not value:
        return {name: json.dumps(value, ensure_ascii=False)}
    flat: dict[str, str] = {}
    for key in value:
        flat.update(flattened(value[key], f"{name}.{key}" if name else key))
    return flat


def _license_id(name: str, known: Iterable[str]) -> str:
    """Return the hub's identifier of a licence, or of its family if the hub has no version; or "other"."""
    if name == NOT_STATED:
        return "unknown"
    plain = re.sub("-(only|or-later)$", "", name.strip().lower())
    return next((one for one in (plain, re.sub(r"-[\d.]+$", "", plain)) if one in known), "other")


def _shown(text: str) -> str:
    """Return a name or setting on one line of Markdown; of a long setting, the digest."""
    if text[:1] in '{["' and len(text) > LONGEST_VALUE:
        return f"sha256:{hashlib.sha256(text.encode(errors='backslashreplace')).hexdigest()}"
    return re.sub(r"[|\s`<>]+", " ", text).strip()[:LONGEST_NAME]
