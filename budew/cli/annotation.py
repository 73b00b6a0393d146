"""Commands that give the clips of a corpus profiles: each a job, each another way to hear."""

import typer

from budew.cli import options
from budew.cli.running import Running, job_command, run_job
from budew.cli.settings import SETTINGS

app = typer.Typer(help="Give each clip of a corpus a profile: 40 emotions, vocal bursts, traits.", **SETTINGS)


@app.command(no_args_is_help=True)
@job_command()
def llm(
    source: options.Corpus,
    out: options.CorpusFolder,
    running: Running,
    model: options.ChatModel,
    base_url: options.BaseUrl,
    key_variable: options.KeyVariable = "OPENAI_API_KEY",
    concurrency: options.Concurrency = 16,
    timeout: options.AnswerTimeout = 120.0,
    attempts: options.Attempts = 5,
    patience: options.Patience = 600.0,
    requests_per_minute: options.RequestsPerMinute = None,
    temperature: options.Temperature = 0.0,
    seed: options.ChatSeed = 0,
    turns: options.Turns = 2,
    max_seconds: options.LongestSent = 60.0,
    prompt: options.PromptFile = None,
    cache: options.AnswersFile = None,
    price_in: options.PriceIn = 0.0,
    price_out: options.PriceOut = 0.0,
    max_cost: options.MaxCost = None,
    max_tokens: options.MaxTokens = None,
) -> None:
    """Ask an audio language model, on any server that speaks the OpenAI chat protocol.

    A server that is overloaded or down is waited for, and what was answered is
    never asked or paid again. What cannot be annotated is listed in
    OUT/failures.jsonl. The key comes from the environment.

    Example: budew corpus annotate llm shards/ out/ --model NAME --base-url http://localhost:8000/v1
    """
    from budew.annotation.llm import AnnotateByLLM
    from budew.annotation.prompt import load_prompt
    from budew.chat.ledger import told_spending, users_ledger
    from budew.chat.server import ChatServer
    from budew.chat.spending import Budget

    ledger = cache or users_ledger()
    server = ChatServer(
        base_url,
        key_variable=key_variable,
        concurrency=concurrency,
        timeout=timeout,
        attempts=attempts,
        patience=patience,
        requests_per_minute=requests_per_minute,
    )
    job = AnnotateByLLM(
        server,
        model,
        prompt=load_prompt(prompt),
        temperature=temperature,
        seed=seed,
        turns=turns,
        max_seconds=max_seconds,
        cache=ledger,
        budget=Budget(price_in, price_out, max_cost, max_tokens),
        account=str(out.resolve()),
    )
    try:
        run_job(job, source, out, running)
    finally:
        if not running.dry_run:
            print(told_spending(ledger, job.account))
