"""One client for servers that speak the OpenAI protocols (chat, speech): cache, budget, health probe."""
