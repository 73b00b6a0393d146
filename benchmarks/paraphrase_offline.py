"""Offline rewriting by grammar: fidelity, diversity and speed.

    python benchmarks/paraphrase_offline.py --n 5000 --seed 0

Random profiles with none to all forty emotions (as in `round_trip.py`) are rendered as templates, which are
rewritten. The gate judges the first candidate of each by its profile and template, as in the rewriting job.
Of the metrics of diversity, lower is better for self-BLEU and compression ratio, higher for the others.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from random import Random

import numpy as np
from round_trip import random_profile
from scipy.stats import spearmanr

from budew.captions import expressible, parse, render
from budew.paraphrase import Candidates, Gate, GrammarBackend, RewriteRequest, judge
from budew.paraphrase.gate import overlap
from budew.paraphrase.metrics.diversity import diversity
from budew.profile import VoiceProfile


def rewritten(requests: Sequence[RewriteRequest]) -> tuple[list[Candidates], float]:
    """Return the candidates, and their number per second of CPU time."""
    asyncio.run(GrammarBackend().rewrite(requests[:1]))  # loads the data before the measurement
    start = time.process_time()
    answers = asyncio.run(GrammarBackend().rewrite(requests))
    return answers, sum(len(answer.texts) for answer in answers) / (time.process_time() - start)


def rank_correlation(profile: VoiceProfile, caption: str) -> float | None:
    """Return Spearman's rho of a profile and the parse of a caption; None if one of them is constant."""
    wanted, read = expressible(profile).vector(), parse(caption).vector()
    if np.ptp(wanted) == 0 or np.ptp(read) == 0:
        return None
    return float(spearmanr(wanted, read).statistic)


def measures(captions: Sequence[str]) -> dict[str, float]:
    """Return the metrics of `budew.paraphrase.metrics.diversity` that are numbers, by name."""
    found = asdict(diversity(captions))
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--n", type=int, default=5000, help="number of profiles")
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    random = Random(asked.seed)
    profiles = [random_profile(random, exact=number % 2 == 0) for number in range(asked.n)]
    templates = [render(profile, seed=number) for number, profile in enumerate(profiles)]
    requests = [
        RewriteRequest(str(number), template, profile, number)
        for number, (template, profile) in enumerate(zip(templates, profiles, strict=True))
    ]
    answers, rate = rewritten(requests)
    report(requests, answers)
    print(f"{rate:,.0f} candidates a second of one core")


def report(requests: Sequence[RewriteRequest], answers: Sequence[Candidates]) -> None:
    pairs = [
        (request, answer.texts[0]) for request, answer in zip(requests, answers, strict=True) if answer.texts
    ]
    print(f"{len(requests):,} profiles, {len(pairs):,} first candidates")
    accepted = pairs
    for tolerance in (1, 0):
        verdicts = [
            judge(text, request.profile, source=request.caption, gate=Gate(tolerance=tolerance))
            for request, text in pairs
        ]
        codes = Counter(code for verdict in verdicts for code in verdict.codes)
        accepted = [pair for pair, verdict in zip(pairs, verdicts, strict=True) if verdict.accepted]
        print(
            f"accepted at tolerance {tolerance}: {len(accepted) / len(requests):.2%},"
            f" refused: {dict(codes) or 'none'}"
        )
    correlations = [
        value for request, text in accepted if (value := rank_correlation(request.profile, text)) is not None
    ]
    print(f"Spearman after the gate: mean {np.mean(correlations):.4f} of {len(correlations):,} that vary")
    shares = [overlap(request.caption, text) for request, text in pairs]
    print(f"overlap with its template: median {np.median(shares):.2f}, highest {max(shares):.2f}\n")
    columns = [measures([request.caption for request, _ in pairs]), measures([text for _, text in pairs])]
    print(f"{'':<24}{'templates':>12}{'grammar':>12}")
    for name in columns[0]:
        print(f"{name:<24}" + "".join(f"{column[name]:>12,.3f}" for column in columns))


if __name__ == "__main__":
    main()
