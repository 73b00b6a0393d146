"""Training: a recipe, its examples and the loop that makes a checkpoint of them."""
