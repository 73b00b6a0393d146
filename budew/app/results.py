"""What the page shows: budew's own HTML pages, each in a frame of its own.

A page that runs a script (the timeline with its player) is sandboxed into an origin of its own. The others
run none, and their frames are as high as their content.
"""

from html import escape
from pathlib import Path

from budew.audio.samples import probe_audio
from budew.captions import parse, render
from budew.captions.frames import Style
from budew.corpora.clip import Clip
from budew.errors import InputError
from budew.inference import Captioned, Captioner
from budew.inference.recordings import from_clip
from budew.profile import VoiceProfile
from budew.reports.captions_page import captions_page
from budew.reports.explanation import explanation_html

LONGEST_RECORDING = 3600.0
"""Seconds."""
LONGEST_CAPTION = 2_000
"""Characters of a caption that is parsed."""
RENDERED = 5
"""Captions of one profile."""
_FIT = (
    "const page = this.contentDocument, fit = () => this.style.height = page.body.scrollHeight + 'px';"
    "new ResizeObserver(fit).observe(page.querySelector('main'))"
)


def caption(path: Path, captioner: Captioner) -> tuple[Captioned, str]:
    """Caption an uploaded file, by its name and not its place; return the result and what is shown of it.

    Raises:
        AudioError: it cannot be decoded, or is longer than `LONGEST_RECORDING`.
        JobError: the model failed.
    """
    probe_audio(path, max_seconds=LONGEST_RECORDING, name=path.name)
    given = from_clip(Clip(path.name, path, path.suffix.removeprefix(".")))
    result = next(captioner.captioned([given]))
    long = len(result.windows) > 1
    timeline = captions_page([result.to_dict()], [given]) if long else ""
    captions = [] if long or not result.caption else [parse(result.caption)]
    scores = explanation_html(captions, profile=result.profile)
    return result, (timeline and _frame("timeline", timeline, scripts=True)) + _frame("scores", scores)


def parsed(text: str) -> str:
    """Return what a caption means.

    Raises:
        InputError: it is empty or longer than `LONGEST_CAPTION`.
    """
    if not 0 < len(text.strip()) <= LONGEST_CAPTION:
        raise InputError(f"a caption has 1 to {LONGEST_CAPTION:,} characters, not {len(text.strip()):,}")
    found = parse(text.strip())
    return _frame("parsed caption", explanation_html([found], profile=found.profile))


def rendered(profile: VoiceProfile, style: Style | None) -> str:
    """Return captions of a profile, with the phrases that stand for its parts.

    Raises:
        WithheldError: the profile joins a minor with sexual content.
    """
    captions = dict.fromkeys(render(profile, seed=seed, style=style) for seed in range(RENDERED))
    return _frame("rendered captions", explanation_html(list(map(parse, captions)), profile=profile))


def _frame(title: str, page: str, *, scripts: bool = False) -> str:
    sandbox = "allow-scripts" if scripts else "allow-same-origin"
    fit = 'style="height: 85vh"' if scripts else f'onload="{escape(_FIT)}"'
    return f'<iframe title="{title}" sandbox="{sandbox}" {fit} srcdoc="{escape(page)}"></iframe>'
