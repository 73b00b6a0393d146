"""The page without a browser: which choices it shows, and what it passes on to the captioner."""

import re
from types import SimpleNamespace

import pytest

from budew import VoiceProfile
from budew.app import browser_page
from budew.errors import InputError

PROMPTED, PLAIN = SimpleNamespace(trained_with_prompts=True), SimpleNamespace(trained_with_prompts=False)


@pytest.fixture(scope="module")
def gradio():
    return pytest.importorskip("gradio")  # seconds, not while tests are collected


def function(blocks, name):
    return next(one.fn for one in blocks.fns.values() if one.name == name)


@pytest.mark.parametrize(
    ("backends", "visible"),
    [
        ({"one": PLAIN}, (False, False)),
        ({"one": PROMPTED}, (False, True)),
        ({"one": PLAIN, "two": PROMPTED}, (True, False)),
    ],
)
def test_only_what_can_be_chosen_is_visible(gradio, backends, visible):
    parts = list(browser_page.browser_page(gradio, backends).blocks.values())
    (model,) = (part for part in parts if getattr(part, "label", None) == "Checkpoint")
    (prompts,) = (part for part in parts if getattr(part, "label", None) == "Parts")
    while not isinstance(prompts, gradio.Row):
        prompts = prompts.parent
    assert (model.visible, prompts.visible) == visible


@pytest.fixture
def captioned(gradio, monkeypatch):
    """`captioned(path, model, style, parts)`: the options and warnings of a click on the button."""
    seen = []

    def caption_html(path, captioner):
        seen.append(captioner.options)
        return SimpleNamespace(damaged=None, warnings=("a <b>",)), "page"

    monkeypatch.setattr(browser_page, "caption_html", caption_html)
    monkeypatch.setattr(browser_page, "Captioner", lambda _, options: SimpleNamespace(options=options))
    monkeypatch.setattr(gradio, "Warning", seen.append)
    click = function(browser_page.browser_page(gradio, {"one": PROMPTED, "two": PLAIN}), "captioned")

    def run(*given):
        seen.clear()
        assert click(*given) == "page"
        return seen

    return run


def test_style_and_parts_are_prompts_of_checkpoints_that_were_trained_with_them(captioned):
    (chosen, warning), (plain, _), (free, _) = (
        list(captioned("a.wav", *given))
        for given in (("one", "prose", "emotions"), ("two", "prose", "emotions"), ("one", "", ""))
    )
    assert (chosen.style, chosen.parts) == ("prose", "emotions")
    assert (plain.style, plain.parts) == (free.style, free.parts) == (None, None)
    assert warning == "a &lt;b&gt;"


def test_a_click_without_a_recording_is_an_error_on_the_page(gradio, captioned):
    with pytest.raises(gradio.Error, match="no recording"):
        captioned(None, "one", "", "")


def test_a_caption_has_at_least_one_character_and_at_most_the_largest_number(monkeypatch):
    monkeypatch.setattr(browser_page, "LONGEST_CAPTION", 10)
    assert all(map(browser_page.parsed_html, (" A sad man. \n", "?")))
    for text in ("", " \n", "A sad male."):
        with pytest.raises(InputError, match=f"1 to 10 characters, not {len(text.strip())}"):
            browser_page.parsed_html(text)


def test_captions_of_a_profile_differ():
    html = browser_page.rendered_html(VoiceProfile({"Sadness": 0.75}), None)
    captions = re.findall(r"class=&quot;caption.*?&lt;/", html)
    assert len(captions) == len(set(captions)) > 1


def test_a_click_renders_the_chosen_emotions_bursts_and_traits(gradio):
    blocks = browser_page.browser_page(gradio, {"one": PLAIN})
    with blocks:
        blocks.renderables[0].fn(["Sadness", "Fear"])
    html = function(blocks, "captions")(["Chuckle"], "female", "", "tags", 0.75, 0.25)
    profile = VoiceProfile({"Sadness": 0.75, "Fear": 0.25}, ["Chuckle"], {"gender": "female"})
    assert html == browser_page.rendered_html(profile, "tags")
