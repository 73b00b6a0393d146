"""Seeds that depend on what they are for and on nothing else."""

import hashlib
import json


def derived_seed(*parts: str | int) -> int:
    """Return 32 bits made of `parts`, the same in every process."""
    described = json.dumps(parts, ensure_ascii=False)
    return int.from_bytes(hashlib.blake2b(described.encode(errors="surrogatepass"), digest_size=4).digest())
