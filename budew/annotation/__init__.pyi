from .acoustic_measures import Measure as Measure
from .bins import describe_measured as describe_measured
from .bins import read_bins as read_bins
from .existing_labels import AnnotateByLabels as AnnotateByLabels
from .existing_labels import read_labels as read_labels
from .head_annotator import AnnotateByHeads as AnnotateByHeads
from .llm_annotator import AnnotateByLLM as AnnotateByLLM
from .llm_protocol import load_prompt as load_prompt
