"""Audio of any format, as files or bytes: samples, duration, and the damage found."""
