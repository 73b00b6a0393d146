"""Readers of named corpora, one module each, all alike: `read_x(path, *, on_bad=None) -> Iterator[Clip]`.

`budew.read` knows each of these corpora by its content and needs no reader named. A reader of its own insists
on its corpus: a clip that is not labelled as there is an error.
"""
