"""The page: a recording → its caption, a caption → scores, a profile → captions."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

from budew.app.results import LONGEST_CAPTION, caption, parsed, rendered
from budew.captions.caption_prompt import PARTS
from budew.captions.frames import STYLES
from budew.errors import BudewError, InputError
from budew.inference import Captioner
from budew.inference.backends import Backend
from budew.model.card import CheckpointCard
from budew.profile import VoiceProfile
from budew.segmentation.voice_activity import has_speech_detector
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS, LEVEL_NAMES, LEVELS

WAITING = 64
"""Requests that wait at most; more are refused."""
KEPT = 3600
"""Seconds that an upload is kept."""
CSS = """
iframe { display: block; width: 100%; border: 0; color-scheme: light dark; }
iframe + iframe { margin-top: 16px; }
"""
_INTRODUCTION = "# BUD-E Whisper\nA caption describes how a voice sounds, not what a person feels."
_EXAMPLE = "A young woman, deeply sad, sobbing, with a trace of hope."
_ANY = ("any", "")
_EVENT = {"api_visibility": "private"}
"""Of all events: they are the page's own, and no API."""


def page(gradio: ModuleType, backends: Mapping[str, Backend], cards: Sequence[CheckpointCard] = ()) -> Any:
    """Return the page as `gradio.Blocks`, not launched yet.

    Args:
        gradio: the library.
        backends: the checkpoints to choose from, by the name that is shown.
        cards: what the checkpoints say about themselves.
    """
    with gradio.Blocks(title="budew", analytics_enabled=False, delete_cache=(600, KEPT)) as blocks:
        gradio.Markdown(_INTRODUCTION)
        for card in cards:
            _show_card(gradio, card)
        with gradio.Tab("Caption"):
            _caption_tab(gradio, backends)
        with gradio.Tab("Parse"):
            _parse_tab(gradio)
        with gradio.Tab("Render"):
            _render_tab(gradio)
    return blocks.queue(max_size=WAITING, api_open=False)


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
    audio.async_move_resource_to_block_cache = _where_it_is
    with gradio.Row(visible=backends[first].trained_with_prompts) as prompts:
        style = gradio.Dropdown([_ANY, *STYLES], value="", label="Style")
        parts = gradio.Dropdown([_ANY, *PARTS], value="", label="Parts")
    button, result = gradio.Button("Caption", variant="primary"), gradio.HTML(js_on_load=None)

    def captioned(path: str | None, name: str, style: str, parts: str) -> str:
        if not path:
            raise InputError("there is no recording yet: record one, or upload a file")
        prompted = backends[name].trained_with_prompts
        captioner = Captioner(
            backends[name],
            style=style if style and prompted else None,
            parts=parts if parts and prompted else None,
            windows="speech" if has_speech_detector() else "fixed",
        )
        done, html = caption(Path(path), captioner)
        for warning in filter(None, (done.damaged, *done.warnings)):
            gradio.Warning(escape(warning, quote=False))
        return html

    def prompts_of(name: str) -> Any:
        return gradio.update(visible=backends[name].trained_with_prompts)

    audio.clear(None, None, result, js="() => ''", **_EVENT)
    model.change(prompts_of, model, prompts, show_progress="hidden", **_EVENT)
    given = [audio, model, style, parts]
    button.click(_reporting(gradio, captioned), given, result, concurrency_limit=1, **_EVENT)


def _parse_tab(gradio: Any) -> None:
    text = gradio.Textbox(_EXAMPLE, label="Caption", lines=3, max_length=LONGEST_CAPTION)
    button, result = gradio.Button("Parse", variant="primary"), gradio.HTML(js_on_load=None)
    gradio.on([button.click, text.submit], _reporting(gradio, parsed), text, result, **_EVENT)


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
            said = {name: value for name, value in traits.items() if value}
            emotions = dict(zip(names or (), intensities, strict=True))
            return rendered(VoiceProfile(emotions, sounds or (), said), style or None)

        given = [bursts, gender, age, style, *levels]
        button.click(_reporting(gradio, captions), given, result, **_EVENT)

    with strengths:
        gradio.render(inputs=emotions, show_progress="hidden")(ask_levels)


def _reporting(gradio: Any, work: Callable[..., str]) -> Callable[..., str]:
    """Return `work` with the errors of this package shown on the page, as their one line."""

    @wraps(work)
    def checked(*given: Any) -> str:
        try:
            return work(*given)
        except BudewError as error:
            raise gradio.Error(escape(str(error), quote=False), print_exception=False) from None

    return checked


async def _where_it_is(path: str) -> str:
    """Leave an upload in its place: gradio would download what an address names."""
    return path
