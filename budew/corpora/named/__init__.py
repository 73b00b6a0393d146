"""Known corpora by name: how each encodes its labels in file names, folders and tables.

`budew.read("ravdess:FOLDER")` reads a folder as RAVDESS; a folder whose names fit exactly one corpus is read
as that one. A definition is a YAML file, in `definitions/` or of the user (`budew.read("mine.yaml:FOLDER")`).
"""
