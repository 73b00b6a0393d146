from .acoustic_measures import Measure as Measure
from .existing_labels import AnnotateByLabels as AnnotateByLabels
from .existing_labels import read_labels as read_labels
from .head_annotator import AnnotateByHeads as AnnotateByHeads
from .llm_annotator import AnnotateByLLM as AnnotateByLLM
from .llm_protocol import load_prompt as load_prompt
from .quantile_thresholds import AnnotateByMeasures as AnnotateByMeasures
from .quantile_thresholds import corpus_thresholds as corpus_thresholds
