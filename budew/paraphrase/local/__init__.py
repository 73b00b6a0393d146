"""Language models in this process: open weights by transformers or vLLM."""
