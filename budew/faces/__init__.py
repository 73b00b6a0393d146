"""Emotions of faces: Empathic Insight-Face heads, their training, EmoNet-Face data, annotation by VLMs."""
