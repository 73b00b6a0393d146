"""Each image ends annotated or listed, whatever the server does, and nothing is asked twice."""

import json
import time
from collections import Counter
from threading import Lock

import pytest

from budew.corpora import read, write_shard
from budew.corpora.media import IMAGE
from budew.errors import AnswerError
from budew.faces.face_labels import face_ratings, taxonomy
from budew.faces.vlm_annotation import READERS, AnnotateFaces, messages, read_multi_shot, read_zero_shot
from budew.jobs import run
from tests.chat.conftest import ScriptedServer, refusal, settings_of

from .conftest import drawn, face

KEYS = [f"{group}|{name}" for group, names in taxonomy()["groups"].items() for name in names]
NAMES = [key.partition("|")[2] for key in KEYS]


def zero_shot(count: int = 25, value=3) -> dict:
    return dict.fromkeys(KEYS[:count], value)


def multi_shot(above: int = 2, value=4, **dimensions) -> dict:
    rated = {
        name: {"rating": value if place < above else 0, "reasoning": "the brows"}
        for place, name in enumerate(NAMES)
    }
    scales = {"Arousal": 3, "Valence": 0, "Dominance": 0, "Emotional Vulnerability": 2} | dimensions
    on = {name: {"rating": value, "reasoning": "the mouth"} for name, value in scales.items()}
    return {"emotions": rated, "extra_dimensions": on}


GOOD = {"zero-shot": zero_shot(), "multi-shot": multi_shot()}


@pytest.mark.parametrize("protocol", READERS)
def test_a_good_answer_is_read_with_prose_around_it(protocol):
    text = f"Here it is:\n```json\n{json.dumps(GOOD[protocol])}\n```"
    assert READERS[protocol](text) == GOOD[protocol]


@pytest.mark.parametrize(
    "answer",
    [
        zero_shot(24),
        zero_shot(26),
        zero_shot(24) | {"Joy|Glee": 3},
        zero_shot(24) | {KEYS[30]: 8},
        zero_shot(24) | {KEYS[30]: 2.5},
    ],
)
def test_a_zero_shot_answer_that_breaks_a_rule_is_refused(answer):
    with pytest.raises(AnswerError):
        read_zero_shot(json.dumps(answer))


@pytest.mark.parametrize(
    "answer",
    [
        multi_shot(6),
        multi_shot(value=8),
        multi_shot(Valence=-4),
        {"emotions": multi_shot()["emotions"]},
        {**multi_shot(), "mood": {}},
        {**multi_shot(), "emotions": dict(list(multi_shot()["emotions"].items())[:39])},
        {**multi_shot(), "emotions": multi_shot()["emotions"] | {"Anger": 2}},
        {**multi_shot(), "emotions": multi_shot()["emotions"] | {"Anger": {"rating": 0, "reasoning": 7}}},
    ],
)
def test_a_multi_shot_answer_that_breaks_a_rule_is_refused(answer):
    with pytest.raises(AnswerError):
        read_multi_shot(json.dumps(answer))


@pytest.mark.parametrize("protocol", READERS)
def test_the_prompt_contains_all_requested_names(protocol):
    system, asked = messages(protocol, "data:image/jpeg;base64,AAAA")
    wanted = KEYS if protocol == "zero-shot" else [*NAMES, *taxonomy()["dimensions"]]
    assert all(name in system["content"] for name in wanted)
    assert "{" not in system["content"] or protocol == "multi-shot"
    assert asked["content"][1]["image_url"]["url"].startswith("data:image/jpeg")


TIMEOUT = 0.5
FAULTS = {
    "zero-shot": [zero_shot(24), zero_shot(26), zero_shot(24) | {KEYS[30]: 8}],
    "multi-shot": [multi_shot(6), multi_shot(value=9), multi_shot(Valence=-4)],
}


class Misbehaving:
    """Meets each image with one fault before it answers well, which it never does to the last image."""

    def __init__(self, protocol: str, images: int) -> None:
        self.protocol, self.images, self.asked, self.lock = protocol, images, Counter(), Lock()
        self.faults = [refusal(429, Retry_After="0"), None, "stall", "Quite happy, I would say."]
        self.faults += map(json.dumps, FAULTS[protocol])

    def __call__(self, body, count):
        if body["messages"][-1]["content"] == "ping":
            return "pong"
        image = body["messages"][1]["content"][1]["image_url"]["url"]
        with self.lock:
            self.asked[image] += 1
            place = list(self.asked).index(image)
        if self.asked[image] > 1 and place < self.images - 1:
            return json.dumps(GOOD[self.protocol])
        fault = self.faults[place % len(self.faults)]
        if fault != "stall":
            return fault
        time.sleep(2 * TIMEOUT)
        return None


@pytest.mark.parametrize("protocol", READERS)
def test_every_image_is_annotated_or_listed_and_no_request_is_sent_twice(protocol, serve, tmp_path):
    clips = [face(f"f{number:02}", drawn(number / 14, shade=150 + number)) for number in range(14)]
    broken = type(clips[0])("broken", b"\x89PNG\r\n\x1a\n" + bytes(50), "png")
    write_shard(tmp_path / "in.tar", [*clips, broken])
    server = serve(ScriptedServer(Misbehaving(protocol, len(clips))))
    settings = settings_of(server.url, cache=tmp_path / "cache", timeout=TIMEOUT, retries=2)
    job = AnnotateFaces(settings, protocol, turns=3)
    summary = run(job, tmp_path / "in.tar", tmp_path / "out", workers=0)
    assert (summary.clips, summary.failures) == (13, 2)
    made = list(read(tmp_path / "out", media=IMAGE))
    assert [clip.metadata["annotations"] for clip in made] == 13 * [
        [{"model": "m", "predictions": GOOD[protocol]}]
    ]
    listed = {json.loads(line)["clip"] for line in (tmp_path / "out/failures.jsonl").read_text().splitlines()}
    assert listed | {clip.id for clip in made} == {clip.id for clip in [*clips, broken]}
    asked = len(server.seen)
    assert run(job, tmp_path / "in.tar", tmp_path / "out", workers=0).done == 0
    run(job, tmp_path / "in.tar", tmp_path / "again", workers=0)
    assert len(server.seen) == asked
    assert (tmp_path / "out/in.tar").read_bytes() == (tmp_path / "again/in.tar").read_bytes()


def test_annotations_of_several_models_accumulate_and_are_labels(serve, tmp_path):
    server = serve(
        ScriptedServer(lambda body, count: json.dumps(multi_shot(value=4 if body["model"] == "m" else 2)))
    )
    write_shard(tmp_path / "in.tar", [face("a", prompt="a photo")])
    for model, source, out in (("m", "in.tar", "one"), ("other", "one", "two"), ("m", "two", "three")):
        job = AnnotateFaces(settings_of(server.url, model=model))
        run(job, tmp_path / source, tmp_path / out, workers=0)
    (clip,) = read(tmp_path / "three", media=IMAGE)
    assert [entry["model"] for entry in clip.metadata["annotations"]] == ["m", "other"]
    assert clip.metadata["prompt"] == "a photo"
    assert face_ratings(clip)[NAMES[0]] == 3.0
    assert len(server.seen) == 2
