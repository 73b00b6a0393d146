"""What a corpus is and holds, in one pass: counts, lengths, labels, and what in it is broken."""
