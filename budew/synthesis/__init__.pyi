from .clip_plan import ClipPlan as ClipPlan
from .clip_plan import plan_clip as plan_clip
from .corpus import Synthesis as Synthesis
from .espeak import Espeak as Espeak
from .resynthesis import Resynthesize as Resynthesize
