"""What turns windows of samples into text: transformers, CTranslate2, or a server with a Whisper.

A backend works in two steps, so that the first, on the CPU, can go on for the next batch while the model
works on this one.
"""

from budew.inference.backends.backend import Asked, Backend, Prepared, Written
from budew.inference.backends.load import BACKENDS, load_backend

__all__ = ["BACKENDS", "Asked", "Backend", "Prepared", "Written", "load_backend"]
