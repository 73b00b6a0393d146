"""Models: a small Whisper from scratch, its tokenizer, and the loading of checkpoints."""
