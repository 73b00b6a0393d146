"""Training: a recipe, its examples and the loop that makes a checkpoint of them."""

from budew.errors import require

# Checked before a module of this package imports them.
for library in ("scipy", "accelerate"):
    require(library, extra="train", purpose="budew train")
