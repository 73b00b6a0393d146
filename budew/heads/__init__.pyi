from .fitting import LARGE as LARGE
from .fitting import SMALL as SMALL
from .fitting import FittingOptions as FittingOptions
from .train_heads import TrainedHeads as TrainedHeads
from .train_heads import train_heads as train_heads
