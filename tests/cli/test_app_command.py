"""`budew app`: options reach the server, which ends in order; without gradio one line says what to do."""

import sys
from contextlib import contextmanager
from signal import SIG_DFL, SIGTERM, raise_signal, signal

import pytest
from typer.testing import CliRunner

from budew.cli import app, app_command
from budew.errors import InputError
from budew.inference.options import ModelOptions


def test_options_reach_the_server_and_it_is_closed_at_the_end(monkeypatch):
    calls = []

    @contextmanager
    def serve_app(*given, **named):
        calls.append((given, named))
        try:
            yield "http://127.0.0.1:8000/"
        finally:
            calls.append("stopped")

    class Ended:
        def wait(self):
            raise_signal(SIGTERM)

    monkeypatch.setattr("budew.app.serve_app", serve_app)
    monkeypatch.setattr(app_command, "Event", Ended)
    try:
        done = CliRunner().invoke(app, ["app", "--model", "a", "--model", "b", "--port", "8000"])
    finally:
        signal(SIGTERM, SIG_DFL)
    assert done.exit_code > 1
    assert "http://127.0.0.1:8000/" in done.output
    settings = {"host": "127.0.0.1", "port": 8000}
    assert calls == [((["a", "b"], ModelOptions()), settings), "stopped"]


def test_without_gradio_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(ImportError, match=r"budew\[app\]"):
        CliRunner().invoke(app, ["app"], catch_exceptions=False)


@pytest.mark.parametrize("given", [["--rate", "corpus"], ["--raters", "raters.txt"]])
def test_a_corpus_and_its_raters_belong_together(given):
    with pytest.raises(InputError, match="--rate CORPUS and --raters FILE"):
        CliRunner().invoke(app, ["app", *given], catch_exceptions=False)
