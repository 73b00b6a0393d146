"""What only training from scratch needs: synthetic speech, cached spectrograms, a tokenizer, heads."""
