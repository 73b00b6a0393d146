"""Process that synthesizes speech with espeak-ng: initialised once, and forked for each utterance.

espeak-ng keeps state between utterances (random numbers, the current clause), so the second call in a process
does not sound like the first. A fresh fork for each request makes the audio a function of the request alone:
bit-identical, about 130 utterances a second on one core. Only the standard library is imported, so that forks
are cheap, and no thread of another library is lost in them.

Run as `python espeak_process.py DATA LIBRARY`. Requests are JSON lines on standard input; each answer on
standard output is one little-endian unsigned 32-bit length in bytes, then that much 16-bit mono PCM at
the rate announced in the first answer. A length of 0xFFFFFFFF means that the utterance failed; the
reason is on standard error.
"""

import ctypes
import json
import os
import struct
import sys
from typing import Any, BinaryIO

FAILED = 0xFFFFFFFF
_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS of speak_lib.h
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_UTF8, _SSML = 1, 0x10  # espeakCHARS_UTF8, espeakSSML
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def serve_requests() -> int:
    """Answer the requests on standard input until it ends; return the exit status."""
    data, library = sys.argv[1:3]
    engine = ctypes.CDLL(library)
    rate = engine.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data), _DONT_EXIT)
    output = sys.stdout.buffer
    output.write(struct.pack("<I", rate if rate > 0 else FAILED))
    output.flush()
    if rate <= 0:
        print(f"espeak-ng cannot read its data in {data}", file=sys.stderr)
        return 1
    for line in sys.stdin.buffer:
        _answer(engine, json.loads(line), output)
    return 0


def _answer(engine: ctypes.CDLL, request: dict[str, Any], output: BinaryIO) -> None:
    engine.espeak_ng_SetRandSeed(ctypes.c_long(request["seed"]))
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        _speak_and_exit(engine, request, sending)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        pcm = pipe.read()
    _, status = os.waitpid(child, 0)
    output.write(struct.pack("<I", FAILED if status else len(pcm)) + (b"" if status else pcm))
    output.flush()


def _speak_and_exit(engine: ctypes.CDLL, request: dict[str, Any], sending: int) -> None:
    """Synthesize in the forked child process, write the samples into the pipe, and exit without clean-up."""
    status = 1
    try:
        pcm = speak(engine, request)
        with os.fdopen(sending, "wb") as pipe:
            pipe.write(pcm)
        status = 0
    except (OSError, RuntimeError) as error:
        print(error, file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def speak(engine: ctypes.CDLL, request: dict[str, Any]) -> bytes:
    """Synthesize one request, with the fields of `budew.synthesis.espeak.Utterance`; return 16-bit mono PCM.

    Args:
        engine: initialised espeak-ng library.
        request: fields of the utterance by name.

    Raises:
        RuntimeError: espeak-ng has no such voice, or rejected the text.
    """
    chunks: list[bytes] = []

    def receive(samples: Any, count: int, _events: int) -> int:
        if samples and count > 0:
            chunks.append(ctypes.string_at(samples, count * 2))
        return 0

    callback = _CALLBACK(receive)
    engine.espeak_SetSynthCallback(callback)
    if engine.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        raise RuntimeError(f"espeak-ng has no voice {request['voice']!r}")
    for parameter, name in ((_RATE, "rate"), (_PITCH, "pitch"), (_RANGE, "range")):
        engine.espeak_SetParameter(parameter, int(request[name]), 0)
    text = request["ssml"].encode()
    status = engine.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF8 | _SSML, None, None)
    if status != 0:
        raise RuntimeError(f"espeak-ng rejected the text (status {status})")
    engine.espeak_Synchronize()
    return b"".join(chunks)


if __name__ == "__main__":
    sys.exit(serve_requests())
