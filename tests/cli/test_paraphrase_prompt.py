"""What `budew paraphrase prompt` prints is what a model is asked, to the letter."""

import json

import pytest
import typer
from typer.testing import CliRunner

from budew.cli.paraphrase_prompt import prompt
from budew.paraphrase import load_prompts
from budew.paraphrase.backend import Request
from budew.paraphrase.rewriting import source_caption
from budew.profile import VoiceProfile
from budew.resources import data_folder

PROFILE = VoiceProfile({"Awe": 0.75, "Fear": 0.25}, ["Sniff"], {"gender": "female"})


@pytest.fixture
def run(tmp_path):
    app = typer.Typer()
    app.command()(prompt)
    profile = tmp_path / "profile.json"
    profile.write_text(PROFILE.to_json())

    def call(*arguments, status=0):
        result = CliRunner().invoke(app, [str(profile), *map(str, arguments)])
        assert result.exit_code == status, result.output
        return result.output

    return call


def the_request(style, seed=0):
    prompts = load_prompts()
    source = source_caption("", 0, PROFILE, seed=seed, style=prompts.styles[style].source_style)
    return Request("", source, PROFILE, seed, style=style)


@pytest.mark.parametrize("style", load_prompts().styles)
def test_the_exact_messages_are_shown(run, style):
    system, user = load_prompts().messages(the_request(style, 4), structured=True)
    shown = run("--style", style, "--seed", 4)
    assert shown == f"[system]\n{system['content']}\n\n[user]\n{user['content']}\n"


def test_the_bare_form_and_the_one_text_are_shown(run):
    system, _ = load_prompts().messages(the_request("plain"), structured=False)
    assert system["content"] in run("--style", "plain", "--plain")
    assert run("--style", "plain", "--format", "text") == load_prompts().text(the_request("plain")) + "\n"


def test_a_style_is_drawn_by_the_seed_and_one_that_is_none_is_told(run):
    assert run("--seed", 1) == run("--seed", 1)
    assert len({run("--seed", seed) for seed in range(4)}) == 4
    assert "no style 'grand'" in run("--style", "grand", status=2)


def test_a_prompt_file_of_ones_own_is_shown(run, tmp_path):
    text = (data_folder("paraphrase") / "prompts.yaml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        text.replace("You rewrite captions", "Please rewrite captions").replace(
            "examples: {file: examples.yaml, count: 4}", ""
        ),
        encoding="utf-8",
    )
    shown = run("--prompt", mine)
    assert shown.startswith("[system]\nPlease rewrite captions")
    assert "Examples" not in shown


def test_phrases_to_avoid_are_shown(run, tmp_path):
    (tmp_path / "ban.yaml").write_text("phrases: [a tapestry of]")
    assert "do not use: a tapestry of." in run("--ban", tmp_path / "ban.yaml").partition("[user]")[0]


def test_a_profile_comes_from_standard_input_too():
    app = typer.Typer()
    app.command()(prompt)
    result = CliRunner().invoke(app, ["-", "--format", "text"], input=json.dumps({"emotions": {"Awe": 0.75}}))
    assert result.exit_code == 0
    assert "strong awe: " in result.output
