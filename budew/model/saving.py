"""Save checkpoints so that stock classes, CTranslate2 and `transformers.pipeline` can load them."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import WhisperForConditionalGeneration

from budew.model.file_checks import read_json

PIPELINE = Path(__file__).parents[1] / "inference" / "emotion_captioning.py"
PIPELINE_TASK = "speech-emotion-captioning"


def save_beside(folder: Path, settings: Any, processor: Any) -> None:
    """Save generation config and processor into the folder of a saved model or adapter."""
    settings.save_pretrained(folder)
    processor.save_pretrained(folder)
    processor.feature_extractor.save_pretrained(folder)  # what CTranslate2 and faster-whisper read


def add_pipeline(folder: Path) -> None:
    """Add the code of a pipeline to a saved checkpoint, for `pipeline(model=DIR, trust_remote_code=True)`.

    The task in the checkpoint has another name than "emotion-captioning", because transformers would
    otherwise require `trust_remote_code` even if that task is registered.
    """
    config = read_json(folder / "config.json", folder.name)
    entry = {"impl": f"{PIPELINE.stem}.CaptionPipeline", "pt": [WhisperForConditionalGeneration.__name__]}
    config["custom_pipelines"] = {PIPELINE_TASK: {**entry, "type": "multimodal"}}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    shutil.copy(PIPELINE, folder)
