"""Whisper as a recognizer: transcripts, word check."""
