"""Language models behind any server that speaks the OpenAI chat protocol: asked once, paid once, survived."""
