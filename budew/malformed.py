"""What is wrong with a file of the wrong shape, in words: for files that people write and change by hand."""


def fault_in(error: Exception) -> str:
    """Return what an error met on reading the parts of a file says of the file, as a part of a sentence.

    Args:
        error: as lookups and conversions raise it, such as `KeyError("seed")`; one with a message of its own
            keeps it.
    """
    if isinstance(error, KeyError) and error.args:
        return f"there is no {str(error.args[0])[:60]!r} in it"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {error.start}"
    if isinstance(error, TypeError | AttributeError | LookupError):
        return "a part of it is of the wrong kind, such as a list where a text should be"
    return " ".join(str(error).split())[:200] or "a part of it is wrong"
