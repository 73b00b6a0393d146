from .estimate import run_size as run_size
from .estimate import step_operations as step_operations
from .estimate import training_needs as training_needs
from .recipe import Recipe as Recipe
from .recipe import load_recipe as load_recipe
from .recipe import shipped_recipes as shipped_recipes
from .run import train as train
from .saving import push as push
