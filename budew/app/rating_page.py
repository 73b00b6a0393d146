"""The page of `budew app --rate`: raters hear or see one clip after the other, and rate its emotions.

It is plain HTML with forms, and works only when a rater answers (gradio's pages poll). The next clip is shown
when the answer is on the disk. Audio is sent as FLAC and images as PNG inside of the page: nothing is lost,
and no byte of a foreign file reaches a browser.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qsl, quote

from budew import faces
from budew.audio.samples import decode, encode_audio
from budew.corpora.clip import Clip
from budew.corpora.media import IMAGE
from budew.curation.consensus import rating_statistics
from budew.curation.rating_study import RatingStudy, RatingTask
from budew.errors import BudewError, CorpusError, InputError, JobError, require
from budew.reports.page import audio_uri, render_page
from budew.taxonomy.rating_scales import scale_named

applications: Any = require("starlette.applications", extra="app", purpose="budew app --rate")
responses: Any = require("starlette.responses", extra="app", purpose="budew app --rate")
_LONGEST_FORM = 65_536


@dataclass(frozen=True)
class RatingPages:
    """The pages of a study: `/rate/NAME` for each rater, and one with progress, agreement and the table.

    `overview` is the path of the latter: a random one, which raters do not know.
    """

    study: RatingStudy
    overview: str = field(default_factory=lambda: f"/{token_urlsafe()}/")

    @cached_property
    def tasks(self) -> dict[str, list[RatingTask]]:
        """Name of each rater → the rater's tasks; computed once, as it takes 0.1 s for 10,000 clips."""
        return {name: self.study.tasks(name) for name in self.study.raters}

    @property
    def paths(self) -> dict[str, str]:
        """Name of each rater → path of the rater's page."""
        return {name: f"/rate/{quote(name, safe='')}" for name in self.study.raters}

    def app(self) -> Any:
        """Return the ASGI app, which any server can serve."""
        app = applications.Starlette(exception_handlers={BudewError: _refused})
        app.add_route(self.overview, self._overview)
        app.add_route(f"{self.overview}ratings.csv", self._table)
        app.add_route("/rate/{name:path}", self._question)
        app.add_route("/rate/{name:path}", self._answer, methods=["POST"])
        return app

    def _overview(self, _: Any) -> Any:
        study, found = self.study, rating_statistics(self.study.ratings())
        repeats = study.repeatability()
        rows = [
            (name, path, len(study.answered(name)), len(self.tasks[name]), repeats[name])
            for name, path in self.paths.items()
        ]
        return _html(rows=rows, agreement={**found.emotions, "all": found.all})

    def _table(self, _: Any) -> Any:
        named = {"content-disposition": 'attachment; filename="ratings.csv"'}
        return responses.Response(self.study.table(), media_type="text/csv", headers=named)

    def _question(self, request: Any) -> Any:
        """Return the page of a rater's next clip, or of an earlier one (`?at=3`)."""
        rater, earlier = self._rater(request), request.query_params.get("at", "")[:9]
        tasks, answered = self.tasks[rater], self.study.answered(rater)
        saved = [task[:2] in answered for task in tasks]
        place = [*saved, False].index(False)
        place = min(place, int(earlier)) if earlier.isdecimal() else place
        shown = {"rater": rater, "saved": saved, "place": place}
        if place == len(tasks):
            return _html(**shown, task=None)
        task, scale = tasks[place], scale_named(self.study.scale)
        source, fault = _media(self.study.clips[task.item])
        shown |= {"task": task, "key": _key(task), "source": source, "fault": fault}
        return _html(**shown, levels=range(int(scale.low), int(scale.high) + 1))

    async def _answer(self, request: Any) -> Any:
        """Store the answers to a clip, then send the browser to the next one."""
        rater, sent = self._rater(request), dict(parse_qsl(await _form(request)))
        task = {_key(task): task for task in self.tasks[rater]}.get(sent.pop("task", ""))
        skipped = sent.pop("skip", None) is not None
        complete = sent and all(value.isdecimal() and len(value) < 9 for value in sent.values())
        if task is None or not (skipped or complete):
            raise InputError("the form is not of this study, or incomplete: reload the page")
        answers = {} if skipped else {name: int(value) for name, value in sent.items()}
        await asyncio.to_thread(self.study.store, rater, task, answers)
        return responses.RedirectResponse(self.paths[rater], 303)

    def _rater(self, request: Any) -> str:
        if request.path_params["name"] in self.study.raters:
            return str(request.path_params["name"])
        raise InputError("there is no rater with this address: ask for yours")


async def _form(request: Any) -> str:
    """Return the form of a request, which is never larger than a page with 40 questions sends."""
    sent = b""
    async for chunk in request.stream():
        sent += chunk
        if len(sent) > _LONGEST_FORM:
            raise InputError(f"the form is longer than {_LONGEST_FORM} bytes: reload the page")
    return sent.decode(errors="replace")


def _key(task: RatingTask) -> str:
    """Return the name of a task in a form, which does not tell the rater the name of the clip."""
    return hashlib.sha256(f"{task.item}/{task.repeat}".encode()).hexdigest()


def _html(**values: Any) -> Any:
    page = render_page("rating_page", **values)
    return responses.HTMLResponse(page, headers={"cache-control": "no-store"})


def _refused(_: Any, error: Exception) -> Any:
    return responses.PlainTextResponse(f"Not saved: {error}.", 500 if isinstance(error, JobError) else 400)


def _media(clip: Clip) -> tuple[str, str]:
    """Return audio or an image as a data URI and "", or "" and the reason why it cannot be heard or seen."""
    try:
        if clip.format in IMAGE.suffixes:
            return faces.image_uri(clip), ""
        heard = decode(clip.audio, sampling_rate=None, name=clip.id)
    except CorpusError as error:
        return "", str(error)
    return audio_uri(encode_audio(heard.samples, heard.sampling_rate, "FLAC"), "flac"), ""
