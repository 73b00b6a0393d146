"""Known corpora: definitions of how each encodes its labels in file names, folders and tables.

`budew.read("ravdess:FOLDER")` reads a folder as RAVDESS. A folder whose file names fit exactly one known
corpus is read as that corpus. A definition is a YAML file in `definitions/`, or one of the user:
`budew.read("mine.yaml:FOLDER")`.
"""
