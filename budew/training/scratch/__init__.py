"""What only training from scratch needs: synthetic speech, a tokenizer and random weights."""
