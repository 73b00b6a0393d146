"""Parts used only for training from scratch: a tokenizer trained on captions, random weights, heads."""
