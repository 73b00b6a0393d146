"""The page of `budew app`: caption a recording, parse a caption, render captions of a profile.

Results are the HTML pages of `budew.reports`, each in a separate frame. A page that runs a script (the
timeline with its player) is sandboxed into a separate origin. The others run no script, and their frames are
as high as their content.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

from budew.audio.samples import probe_audio
from budew.captions import parse, render
from budew.captions.caption_prompt import PARTS, STYLES, Style
from budew.corpora.clip import Clip
from budew.errors import BudewError, InputError
from budew.inference import CaptionedRecording, Captioner
from budew.inference.backends import Backend
from budew.inference.options import WritingOptions
from budew.inference.recordings import from_clip
from budew.model.card import CheckpointCard
from budew.profile import VoiceProfile
from budew.reports.captions_page import captions_html
from budew.reports.explanation import explanation_html
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS, LEVEL_NAMES, LEVELS

LONGEST_RECORDING = 3600.0
"""Longest recording in seconds."""
LONGEST_CAPTION = 2_000
"""Largest number of characters of a caption that is parsed."""
_MOST_WAITING = 64
"""Requests in the queue; more are refused."""
_POLL_SECONDS = 0.05
"""Interval at which gradio looks for new requests: its own 1 ms costs 4 to 8 % of a core when nobody asks."""
_UPLOAD_SECONDS = 3600
"""Seconds until an upload is deleted."""
_RENDERED = 5
"""Captions of one profile."""
CSS = """
iframe { display: block; width: 100%; border: 0; color-scheme: light dark; }
iframe + iframe { margin-top: 16px; }
"""
_INTRODUCTION = "# BUD-E Whisper\nA caption describes how a voice sounds, not what a person feels."
_EXAMPLE = "A young woman, deeply sad, sobbing, with a trace of hope."
_ANY = ("any", "")
_EVENT = {"api_visibility": "private"}  # events are for the page only, not for an API
_ENABLE = "recording => ({__type__: 'update', interactive: Boolean(recording)})"  # after the upload
_FIT_HEIGHT = (
    "const page = this.contentDocument, fit = () => this.style.height = page.body.scrollHeight + 'px';"
    "new ResizeObserver(fit).observe(page.querySelector('main'))"
)


def browser_page(
    gradio: ModuleType, backends: Mapping[str, Backend], cards: Sequence[CheckpointCard] = ()
) -> Any:
    """Build the page as `gradio.Blocks`, which the caller launches.

    Args:
        gradio: the imported module gradio.
        backends: name that is shown → checkpoint to choose.
        cards: model cards of the checkpoints, with their training and published results.
    """
    with gradio.Blocks(title="budew", analytics_enabled=False, delete_cache=(600, _UPLOAD_SECONDS)) as blocks:
        gradio.Markdown(_INTRODUCTION)
        for card in cards:
            _show_card(gradio, card)
        with gradio.Tab("Caption"):
            _caption_tab(gradio, backends)
        with gradio.Tab("Parse"):
            _parse_tab(gradio)
        with gradio.Tab("Render"):
            _render_tab(gradio)
    queued = blocks.queue(max_size=_MOST_WAITING, api_open=False)
    queued._queue.sleep_when_free = queued._queue.progress_update_sleep_when_free = _POLL_SECONDS
    return queued


def _show_card(gradio: Any, card: CheckpointCard) -> None:
    """Show what a checkpoint was trained on, and its published results."""
    if card.training:
        gradio.HTML(f"<p>{escape(card.training)}</p>", js_on_load=None)
    if card.results:
        with gradio.Accordion(f"Published results of {card.name}", open=False):
            rows = "".join(f"<li>{escape(str(result))}</li>" for result in card.results)
            gradio.HTML(f"<ul>{rows}</ul>", js_on_load=None)


def _caption_tab(gradio: Any, backends: Mapping[str, Backend]) -> None:
    first = next(iter(backends))
    model = gradio.Dropdown(list(backends), value=first, label="Checkpoint", visible=len(backends) > 1)
    audio = gradio.Audio(
        sources=["upload", "microphone"], type="filepath", label="Recording", editable=False, buttons=[]
    )
    audio.async_move_resource_to_block_cache = _leave_in_place
    with gradio.Row(visible=backends[first].trained_with_prompts) as prompts:
        style = gradio.Dropdown([_ANY, *STYLES], value="", label="Style")
        parts = gradio.Dropdown([_ANY, *PARTS], value="", label="Parts")
    button = gradio.Button("Caption", variant="primary", interactive=False)
    result = gradio.HTML(js_on_load=None)

    def captioned(path: str | None, name: str, style: str, parts: str) -> str:
        if not path:
            raise InputError("there is no recording yet: record one, or upload a file")
        prompted = backends[name].trained_with_prompts
        captioner = Captioner(
            backends[name],
            WritingOptions(
                style=style if style and prompted else None,
                parts=parts if parts and prompted else None,
            ),
        )
        done, html = caption_html(Path(path), captioner)
        for warning in (done.damaged, *done.warnings):
            if warning:
                gradio.Warning(escape(warning, quote=False))
        return html

    def prompts_of(name: str) -> Any:
        return gradio.update(visible=backends[name].trained_with_prompts)

    audio.change(None, audio, button, js=_ENABLE, **_EVENT)
    audio.clear(None, None, result, js="() => ''", **_EVENT)
    model.change(prompts_of, model, prompts, show_progress="hidden", **_EVENT)
    given = [audio, model, style, parts]
    button.click(_with_errors_shown(gradio, captioned), given, result, concurrency_limit=1, **_EVENT)


def _parse_tab(gradio: Any) -> None:
    text = gradio.Textbox(_EXAMPLE, label="Caption", lines=3, max_length=LONGEST_CAPTION)
    button, result = gradio.Button("Parse", variant="primary"), gradio.HTML(js_on_load=None)
    gradio.on([button.click, text.submit], _with_errors_shown(gradio, parsed_html), text, result, **_EVENT)


def _render_tab(gradio: Any) -> None:
    emotions = gradio.Dropdown(list(EMOTIONS), value=["Sadness"], multiselect=True, label="Emotions")
    strengths = gradio.Column()
    bursts = gradio.Dropdown(list(BURSTS), multiselect=True, label="Vocal bursts")
    with gradio.Row():
        gender, age = (
            gradio.Dropdown([_ANY, *CATEGORIES[name]], value="", label=name.capitalize())
            for name in ("gender", "age")
        )
        style = gradio.Dropdown([_ANY, *STYLES], value="", label="Style")
    button, result = gradio.Button("Render", variant="primary"), gradio.HTML(js_on_load=None)

    def ask_levels(names: list[str] | None) -> None:
        choices = list(zip(LEVEL_NAMES, LEVELS, strict=True))[1:]
        levels = [
            gradio.Radio(choices, value=0.75, label=name, key=name, interactive=True) for name in names or ()
        ]

        def captions(sounds: list[str], gender: str, age: str, style: Any, *intensities: float) -> str:
            traits = {"gender": gender, "age": age}
            given = {name: value for name, value in traits.items() if value}
            emotions = dict(zip(names or (), intensities, strict=True))
            return rendered_html(VoiceProfile(emotions, sounds or (), given), style or None)

        given = [bursts, gender, age, style, *levels]
        button.click(_with_errors_shown(gradio, captions), given, result, **_EVENT)

    with strengths:
        gradio.render(inputs=emotions, show_progress="hidden")(ask_levels)


def caption_html(path: Path, captioner: Captioner) -> tuple[CaptionedRecording, str]:
    """Caption an uploaded file; return the result and its HTML, which shows the file name without folder.

    Raises:
        AudioError: the file cannot be decoded, or is longer than `LONGEST_RECORDING`.
        JobError: the model failed.
    """
    probe_audio(path, max_seconds=LONGEST_RECORDING, name=path.name)
    given = from_clip(Clip(path.name, path, path.suffix.removeprefix(".")))
    result = next(captioner.caption_recordings([given]))
    if len(result.windows) > 1:
        timeline = _frame("timeline", captions_html([result.to_dict()], [given]), scripts=True)
        captions = []
    else:
        timeline = ""
        captions = [parse(result.caption)] if result.caption else []
    scores = _frame("scores", explanation_html(captions, profile=result.profile))
    return result, timeline + scores


def parsed_html(text: str) -> str:
    """Parse a caption; return HTML with its words and scores.

    Raises:
        InputError: the caption is empty or longer than `LONGEST_CAPTION`.
    """
    if not 0 < len(text.strip()) <= LONGEST_CAPTION:
        raise InputError(f"a caption has 1 to {LONGEST_CAPTION:,} characters, not {len(text.strip()):,}")
    found = parse(text.strip())
    return _frame("parsed caption", explanation_html([found], profile=found.profile))


def rendered_html(profile: VoiceProfile, style: Style | None) -> str:
    """Return HTML with captions of a profile, in which the phrases for its parts are marked.

    Raises:
        WithheldError: the profile combines a minor with sexual content.
    """
    captions = dict.fromkeys(render(profile, seed=seed, style=style) for seed in range(_RENDERED))
    return _frame("rendered captions", explanation_html(list(map(parse, captions)), profile=profile))


def _frame(title: str, page: str, *, scripts: bool = False) -> str:
    sandbox = "allow-scripts" if scripts else "allow-same-origin"
    fit = 'style="height: 85vh"' if scripts else f'onload="{escape(_FIT_HEIGHT)}"'
    return f'<iframe title="{title}" sandbox="{sandbox}" {fit} srcdoc="{escape(page)}"></iframe>'


def _with_errors_shown(gradio: Any, work: Callable[..., str]) -> Callable[..., str]:
    """Return `work`, wrapped so that errors of this package are shown on the page as one line."""

    @wraps(work)
    def checked(*given: Any) -> str:
        try:
            return work(*given)
        except BudewError as error:
            raise gradio.Error(escape(str(error), quote=False), print_exception=False) from None

    return checked


async def _leave_in_place(path: str) -> str:
    """Keep an upload where it is stored: gradio would download any URL in its name."""
    return path
