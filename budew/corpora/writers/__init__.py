"""Write clips in the formats of other tools; see `budew.corpora.exports`."""
