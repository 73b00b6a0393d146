from .head_training import HeadCorpora as HeadCorpora
from .head_training import HeadStage as HeadStage
from .head_training import TrainedHeads as TrainedHeads
from .head_training import train_heads as train_heads
from .stack_training import LARGE as LARGE
from .stack_training import SMALL as SMALL
from .stack_training import FittingOptions as FittingOptions
