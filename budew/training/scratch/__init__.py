"""Parts used only for training from scratch: synthetic speech, cached spectrograms, a tokenizer, heads."""
