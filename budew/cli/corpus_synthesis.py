"""Commands of `budew corpus` that make speech with known profiles: synthetic, resynthesized or acted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer
from typer import Option

from budew import jobs, reports, synthesis, transcription
from budew.cli import options
from budew.cli.job_options import JobOptions, ServerOptions, run_job
from budew.cli.options import option_groups
from budew.cli.terminal import print_table, progress_bar
from budew.errors import require
from budew.synthesis import acting
from budew.taxonomy import emotion

app = typer.Typer()
Speaker: TypeAlias = "acting.EspeakBackend | acting.SpeechServerBackend"
"""Backends that speak the lines of an acting plan."""


@app.command("synthesize", no_args_is_help=True)
@option_groups()
def synthesize_command(
    out: options.CorpusFolder,
    job_options: JobOptions,
    clips: options.Clips,
    seed: options.CorpusSeed = 0,
    split: Annotated[
        Literal["train", "validation", "test"],
        Option(help="Set of voices to use; no voice is in two of the three sets."),
    ] = "train",
) -> None:
    """Synthesize emotional speech with profiles, in four languages, as WebDataset shards.

    About 50 clips per second on each CPU core. Run the same command again to
    resume. To listen: tar xf data/train/train-00000.tar

    Example: budew corpus synthesize data/train --clips 16000 --seed 1
    """
    for library in ("scipy", "espeakng_loader"):
        require(library, extra="train", purpose="budew corpus synthesize")
    run_job(synthesis.Synthesis(seed, split), range(clips), out, job_options)


@app.command("resynthesize", no_args_is_help=True)
@option_groups()
def resynthesize_command(
    source: options.AnyCorpus,
    out: options.CorpusFolder,
    job_options: JobOptions,
    seed: options.CorpusSeed = 0,
    per_clip: Annotated[int, Option(min=1, help="Number of new clips made from each clip.")] = 4,
    emotions: Annotated[
        str | None, Option(metavar="A,B", help="Emotions to draw from, such as anger,fear. Default: all.")
    ] = None,
) -> None:
    """Make emotional clips with profiles from neutral recordings of people, by changing vocal cues.

    Words and speaker are unchanged; pitch, tempo, energy, breath and roughness are
    changed by a vocoder, as in budew corpus synthesize. Each new clip is made from a
    piece of 2 to 5 s. Clips without voiced speech are listed in OUT/failures.jsonl.

    Example: budew corpus resynthesize librispeech:LibriSpeech/ emotional/ --per-clip 8 --seed 1
    """
    require("pyworld", extra="train", purpose="budew corpus resynthesize")
    among = tuple(emotion(name.strip()) for name in emotions.split(",")) if emotions else ()
    run_job(synthesis.Resynthesize(seed, per_clip, among), source, out, job_options)


@dataclass(frozen=True, slots=True)
class ActingPlanOptions:
    """Options of the acting plan: its length, and the emotions, languages and voices that it balances."""

    clips: Annotated[
        int | None,
        Option(metavar="N", min=1, help="Number of clips. With --hours: only the first N of the plan."),
    ] = None
    hours: Annotated[
        str | None,
        Option(
            metavar="PLAN",
            help="Hours of speech by language and accent, such as en=100,en:Texan=20,en+de+challenges=5: "
            "parts with the word challenges have acting challenges, other parts have none. Or the name of "
            "published hours: emonet-voice-big.",
        ),
    ] = None
    clip_seconds: Annotated[
        float | None,
        Option(
            metavar="X",
            min=0.1,
            help="Mean duration of a clip in seconds, from which --hours and --dry-run compute the number of "
            "clips or hours. Default: 5, or 10 with --api chat.",
        ),
    ] = None
    seed: options.CorpusSeed = 0
    emotions: Annotated[
        str | None, Option(metavar="A,B", help="Emotions of the plan, such as anger,relief. Default: all.")
    ] = None
    languages: Annotated[
        str | None, Option(metavar="A,B", help="Languages of the plan: en, de, es, fr. Default: all.")
    ] = None
    voices: Annotated[
        str | None,
        Option(
            metavar="A,B",
            help="Voices of the backend, such as alloy,echo. Default: twelve voices of espeak-ng, or the "
            "voices of OpenAI.",
        ),
    ] = None

    def make(self, backend: "Speaker", job_options: JobOptions) -> "tuple[acting.AnyPlan, int]":
        """Return the plan and the number of its clips to make."""
        axes = job_options.settings(
            acting.Axes, emotions=self.emotions, languages=self.languages, voices=self.voices
        ).model_dump()
        if self.hours is None:
            return acting.make_plan(backend, seed=self.seed, **axes), self.clips or 1
        hours, seconds = acting.hours_in(self.hours), self.clip_seconds
        plan = acting.make_hours_plan(backend, seed=self.seed, hours=hours, clip_seconds=seconds, **axes)
        return plan, min(self.clips or len(plan), len(plan))


@dataclass(frozen=True, slots=True)
class SpeechServerOptions:
    """Options for requests to a speech server."""

    api: Annotated[
        Literal["speech", "chat"],
        Option(
            rich_help_panel="Server",
            help="API of the server. speech: the model reads the lines aloud; chat: chat completions with "
            "audio output, in which the model improvises, beginning with the line.",
        ),
    ] = "speech"
    response_format: Annotated[
        str,
        Option(
            "--format",
            metavar="NAME",
            rich_help_panel="Server",
            help="Audio format to request from the server: mp3, opus, aac, flac or wav.",
        ),
    ] = "mp3"
    audio_prompt: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            rich_help_panel="Server",
            help="With --api chat: recording (wav or mp3) with the voice and manner to take on.",
        ),
    ] = None

    def backend(self, server: ServerOptions, job_options: JobOptions) -> "Speaker":
        """Return the speech backend: the server, or espeak-ng if none is given."""
        if server == ServerOptions():
            if self.api == "chat":
                raise typer.BadParameter("chat requires a server: --base-url and --model", param_hint="--api")
            if self.audio_prompt is not None:
                raise typer.BadParameter("it requires --api chat", param_hint="--audio-prompt")
            return acting.EspeakBackend()
        settings = server.settings(job_options, cached=False, concurrency=8)
        prompt = None if self.audio_prompt is None else self.audio_prompt.read_bytes()
        backend = acting.SpeechServerBackend(settings, self.response_format, self.api, prompt)
        if job_options.is_here and not job_options.dry_run:
            settings.key()  # before OUT belongs to this job
        return backend


@dataclass(frozen=True, slots=True)
class WordCheckOptions:
    """Options for a check of the spoken words."""

    words_model: Annotated[
        str | None,
        Option(
            "--check-words",
            metavar="DIR|HUB-ID",
            help="Transcribe each clip with this Whisper checkpoint, such as openai/whisper-small, and leave "
            "out clips whose words differ.",
        ),
    ] = None
    max_wer: Annotated[
        float, Option(min=0, metavar="X", help="With --check-words: highest accepted word error rate.")
    ] = 0.3
    device: options.Device = None

    def check(self) -> "transcription.CheckWords | None":
        """Return the job that checks the words, None if they are not checked."""
        if self.words_model is None:
            return None
        transcriber = transcription.Transcriber(self.words_model, self.device)
        return transcription.CheckWords(transcriber, self.max_wer)


@app.command("act", no_args_is_help=True)
@option_groups(clips_per_shard=100)
def act_command(
    out: options.CorpusFolder,
    plan_options: ActingPlanOptions,
    speech: SpeechServerOptions,
    words: WordCheckOptions,
    job_options: JobOptions,
    server: ServerOptions,
    price: Annotated[
        float | None,
        Option(
            metavar="X",
            min=0,
            help="With --dry-run: price of a million characters, to estimate the cost (not for --api chat).",
        ),
    ] = None,
) -> None:
    """Make acted speech from a plan that balances emotions, voices, languages and challenges.

    The lines are spoken offline by espeak-ng, or by a server with the OpenAI speech
    API or with chat completions that answer in audio. Run the same command again to
    resume; a larger --clips extends the same plan. Clips that could not be made are
    listed in OUT/failures.jsonl, clips with wrong words in OUT/left_out.jsonl. --set
    also sets the other axes of the plan: intensities, accents, challenges, texts,
    personas.

    Example: budew corpus act data/acted --clips 2000 --seed 1 --languages en,de --dry-run
    """
    require("scipy", extra="train", purpose="budew corpus act")
    if price is not None and (not job_options.dry_run or speech.api == "chat"):
        raise typer.BadParameter(
            "--price requires --dry-run, and cannot be used with --api chat (paid by token)"
        )
    if plan_options.clips is None and plan_options.hours is None:
        raise typer.BadParameter("give a number of clips, or --hours", param_hint="--clips")
    backend = speech.backend(server, job_options)
    plan, count = plan_options.make(backend, job_options)
    jobs.check_size(count, job_options.clips_per_shard)  # before a preview, which reads all clips of the plan
    check = words.check()
    job = acting.Act(plan, backend, check)
    if job_options.dry_run:
        job_options.cluster_settings()  # raises errors of the settings
        jobs.Plan(job, range(count), out, clips_per_shard=job_options.clips_per_shard)
        seconds = plan_options.clip_seconds or acting.mean_seconds(backend)
        with progress_bar("planning", unit="clips") as move:
            found = acting.preview(plan, count, moved=move)
        print_table(reports.report_tables(reports.plan_report(found, seconds)))
        cost = "" if price is None else f"; the speech costs {found.characters * price / 1e6:,.2f}"
        print(
            f"{count:,} requests, {count * seconds / 3600:,.2f} hours, "
            f"{found.characters:,} characters of lines and {found.instruction_characters:,} of instructions"
            f"{cost}"
        )
        return
    if check is not None:
        check.transcriber.require_languages(plan.axes()["language"])
    if job_options.workers is None and (check is not None or not backend.computes):
        job_options.workers = 0
    run_job(job, range(count), out, job_options)
