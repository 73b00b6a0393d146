"""One client for servers with OpenAI-compatible APIs (chat, speech): cache, budget, health probe."""
