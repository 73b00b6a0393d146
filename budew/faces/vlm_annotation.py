"""Annotation of faces by a vision-language model, in the two published protocols of EmoNet-Face.

- zero-shot: exactly 25 `Group|Emotion` keys, each 1–7;
- multi-shot: 40 emotions on 0–7, of which at most five are above 0, and four dimensions on their own scales,
  each with a rating and a reason; the prompt has examples.

Works with any server for the OpenAI chat protocol with images. An answer that breaks a rule is sent back with
its errors. The result is appended to `annotations` in the metadata, a list of `{"model", "predictions"}`, to
which several models may add; an image that has an annotation by this model is not changed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Literal

from budew.annotation.llm_annotator import annotate_in_order
from budew.chat.client import Client, complete_with_corrections
from budew.chat.request import ChatRequest, object_in
from budew.chat.server_settings import ServerSettings
from budew.corpora.clip import Clip
from budew.corpora.media import IMAGE, Media
from budew.errors import AnswerError
from budew.faces.face_labels import face_names, scale_of, taxonomy
from budew.faces.images import image_uri
from budew.io.resources import data_folder
from budew.io.settings import read_yaml
from budew.jobs.job import OnFailed

FaceProtocol = Literal["zero-shot", "multi-shot"]
KEYS, MOST = 25, 5  # keys of a zero-shot answer, emotions above 0 of a multi-shot one
LARGEST_SIDE = 1024
"""Longest side of the sent image in pixels; larger images are scaled down."""
FIELD = "annotations"
_LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True)
class AnnotateFaces:
    """The job `annotate faces`: images → images with annotations by a vision-language model.

    Attributes:
        server: address and model, timeouts, retries and limits of cost.
        protocol: "zero-shot" or "multi-shot".
        turns: number of answers that a model may give for an image; the errors of an invalid answer are sent
            back.
        temperature: sampling temperature; 0 for the most probable answer.
        seed: sampling seed that is sent with each request; None for no seed.
        account: name under which the cache adds up the cost.
    """

    server: ServerSettings
    protocol: FaceProtocol = "multi-shot"
    turns: int = 3
    temperature: float = 0.0
    seed: int | None = 0
    account: str = ""
    name: ClassVar[str] = "annotate-faces"
    media: ClassVar[Media] = IMAGE

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the answers."""
        return {
            "by": "vlm",
            "model": self.server.model,
            "protocol": self.protocol,
            "prompt_version": prompts()["version"],
            "temperature": self.temperature,
            "seed": self.seed,
        }

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Annotate many images at a time and yield them in order.

        Raises:
            JobError: every other request would fail, too. Answers so far are cached.
        """
        return annotate_in_order(clips, self._annotated, failed, self.server, account=self.account)

    async def _annotated(self, client: Client, clip: Clip) -> Clip:
        before = clip.metadata.get(FIELD)
        kept = before if isinstance(before, list) else []
        if any(isinstance(one, Mapping) and one.get("model") == self.server.model for one in kept):
            return clip
        request = ChatRequest(
            model=self.server.model,
            messages=messages(self.protocol, image_uri(clip, LARGEST_SIDE, quality=92)),
            max_tokens=prompts()["answer_tokens"],
            temperature=self.temperature,
            seed=self.seed,
        )
        read = READERS[self.protocol]
        correction: str = prompts()["correction"]
        predictions = await complete_with_corrections(
            client, request, read, correction=correction, turns=self.turns, item=f"image {clip.id!r}"
        )
        entry = {"model": self.server.model, "predictions": predictions}
        return replace(clip, metadata={**clip.metadata, FIELD: [*kept, entry]})


@cache
def prompts() -> dict[str, Any]:
    """Return the texts of the prompts in `paraphrase/faces.yaml`."""
    return read_yaml(data_folder("paraphrase") / "faces.yaml")


def messages(protocol: FaceProtocol, image: str) -> tuple[dict[str, Any], ...]:
    """Return the messages of a request about an image, which is given as a data URI."""
    texts = prompts()[protocol]
    dimensions = (
        f"- {name}: {scale_of(name).low:g} ({row['at_low']}) to {scale_of(name).high:g} ({row['at_high']})"
        for name, row in taxonomy()["dimensions"].items()
    )
    system = texts["system"].format(
        count=KEYS,
        most=MOST,
        names="; ".join(_emotions()),
        keys="\n".join(_keys()),
        dimensions="\n".join(dimensions),
    )
    for example in texts.get("examples", ()):
        ratings = ", ".join(f'"{name}": {value}' for name, value in example["ratings"].items())
        values = ", ".join(f'"{name}": {value}' for name, value in example["dimensions"].items())
        system += f"\nExample. {example['seen']} Above 0: {ratings}. Dimensions: {values}."
    request = [
        {"type": "text", "text": texts["request"]},
        {"type": "image_url", "image_url": {"url": image}},
    ]
    return ({"role": "system", "content": system}, {"role": "user", "content": request})


def _keys() -> list[str]:
    return [f"{group}|{name}" for group, names in taxonomy()["groups"].items() for name in names]


def _emotions() -> list[str]:
    return [name for name in face_names().values() if name not in taxonomy()["dimensions"]]


def read_zero_shot(text: str) -> dict[str, int]:
    """Read the ratings in an answer: 25 keys of the form `Group|Emotion`, each with a rating from 1 to 7.

    Raises:
        AnswerError: with everything that is wrong, one line for each problem.
    """
    known = _keys()
    given = object_in(text, keys=known)
    problems = [f"{key[:60]!r} is not one of the keys" for key in given if key not in known]
    problems += [
        f"{key}: {str(value)[:40]!r} is not a whole number from 1 to 7"
        for key, value in given.items()
        if key in known and not (type(value) is int and 1 <= value <= 7)
    ]
    if len(given) != KEYS:
        problems.append(f"{len(given)} keys: give exactly {KEYS}")
    _check(problems)
    return given


def read_multi_shot(text: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Read the ratings with reasons in an answer, under "emotions" and "extra_dimensions".

    Raises:
        AnswerError: with everything that is wrong, one line for each problem.
    """
    parts = {"emotions": _emotions(), "extra_dimensions": [*taxonomy()["dimensions"]]}
    given = object_in(text, keys=parts)
    problems = [f"{name[:60]!r} is not requested" for name in given if name not in parts]
    for part, names in parts.items():
        rated = given.get(part)
        if not isinstance(rated, Mapping):
            problems.append(f"{part}: give an object with a rating and a reason for each name")
            continue
        problems += [f"{part}: {name[:60]!r} is not requested" for name in rated if name not in names]
        if missing := [name for name in names if name not in rated]:
            problems.append(f"{part}: {', '.join(missing)} missing")
        faults = {name: _fault(name, rated[name]) for name in names if name in rated}
        problems += [f"{name}: {fault}" for name, fault in faults.items() if fault]
        ratings = {name: one.get("rating") for name, one in rated.items() if isinstance(one, Mapping)}
        above = [name for name in names if ratings.get(name) not in (None, 0)]
        if part == "emotions" and len(above) > MOST:
            problems.append(f"{len(above)} emotions are above 0 ({', '.join(above)}): at most {MOST} may be")
    _check(problems)
    return given


READERS: Mapping[str, Callable[[str], Any]] = {"zero-shot": read_zero_shot, "multi-shot": read_multi_shot}


def _fault(name: str, given: Any) -> str:
    if not isinstance(given, Mapping) or set(given) != {"rating", "reasoning"}:
        return "give an object with `rating` and `reasoning`"
    low, high = (int(end) for end in (scale_of(name).low, scale_of(name).high))
    if not (type(given["rating"]) is int and low <= given["rating"] <= high):
        return f"{str(given['rating'])[:40]!r} is not a whole number from {low} to {high}"
    if not isinstance(given["reasoning"], str) or len(given["reasoning"]) > _LONGEST_REASON:
        return "give a short text as `reasoning`"
    return ""


def _check(problems: list[str]) -> None:
    if problems:
        raise AnswerError("\n".join(problems[:20]))
