"""Paraphrasing captions by a language model or offline; a gate checks that the meaning is kept."""

from budew.paraphrase.backend import Candidates, RefusedCandidate, RewriteRequest, RewritingBackend
from budew.paraphrase.gate import Gate, Reason, Verdict, judge
from budew.paraphrase.grammar_backend import GrammarBackend, Rewrite, shipped_rewrites
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.paraphrase.rewriting_job import Paraphrase, Rewriting

__all__ = [
    "Candidates",
    "Gate",
    "GrammarBackend",
    "Paraphrase",
    "Prompts",
    "Reason",
    "RefusedCandidate",
    "Rewrite",
    "RewriteRequest",
    "Rewriting",
    "RewritingBackend",
    "Verdict",
    "judge",
    "load_prompts",
    "shipped_rewrites",
]
