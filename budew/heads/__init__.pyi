from .stack_training import LARGE as LARGE
from .stack_training import SMALL as SMALL
from .stack_training import FittingOptions as FittingOptions
from .train_heads import TrainedHeads as TrainedHeads
from .train_heads import train_heads as train_heads
