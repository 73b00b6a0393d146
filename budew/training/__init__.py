"""Training: a recipe, its examples and the loop that makes a checkpoint of them."""

from budew.extras import require

# Asked for once, before a module of this room imports them.
for library in ("scipy", "accelerate"):
    require(library, extra="train", purpose="budew train")
