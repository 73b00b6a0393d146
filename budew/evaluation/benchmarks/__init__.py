"""Published benchmarks of emotion in voices and faces: a module a family, leaderboards as YAML beside it."""
