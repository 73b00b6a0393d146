"""Training: a recipe, its examples and the loop that makes a checkpoint of them.

From data to checkpoint, in the order in which to read:

    recipe           what decides the result (data_settings, model_settings, targets, augmentation)
    preparation      corpora → clip_index → training_clips → feature_cache (→ pseudo_labels)
    clip_order       which clip is the n-th example
    dataset          the n-th example, and batches
    initial_model    the model before its first step (training_model)
    trainer          the loop; validation, its captions and scores
    run              all of it, continued from what is in a run_folder; saving, the checkpoint

`estimate` computes what a run will need, `devices` tells on what it runs.

Which weights learn (`budew.model.adapt.set_trained`), by the method of the recipe:

    method           weights that learn                      saved
    scratch          all; auxiliary heads on the encoder     checkpoint without the heads
    full             all, of a base or of a part of it       checkpoint
    encoder-frozen   decoder, last encoder layers if wanted  checkpoint
    lora             adapters                                adapter, and checkpoint with it merged

The loss is the cross-entropy of the tokens of captions and, weighted, that of auxiliary heads:
`training_model.caption_loss`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
