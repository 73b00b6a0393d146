from .estimate import estimate as estimate
from .estimate import operations as operations
from .recipe import Recipe as Recipe
from .recipe import load_recipe as load_recipe
from .recipe import shipped_recipes as shipped_recipes
from .run import plan as plan
from .run import train as train
from .saving import push as push
