"""Training: recipes, training examples, and the training loop that makes a checkpoint.

Modules from data to checkpoint, in the order in which to read them:

    recipe           settings of a run (data_settings, model_settings, targets, augmentation)
    preparation      corpora → clip_index → training_clips → feature_cache; once the base is loaded, the
                     states of a frozen encoder
    pseudo_labels    for corpora with `heard: true`, labels are predicted by linear probes (`listener`)
    clip_order       order of the clips: which clip is the n-th example
    dataset          features and tokens of the n-th example, batches, and the sample of validation clips
    initial_model    the model before its first step (training_model)
    trainer          the training loop; validation: captions of validation clips and their scores
    run              runs all of these, or continues a run in a run_folder; saving: writes the checkpoint

`estimate` computes the time, memory and disk that a run will need, `devices` finds the accelerator and its
precision.

The method of the recipe decides which weights are trained (`budew.model.adapt.set_trained`):

    method           trained weights                             saved
    scratch          all                                         checkpoint
    full             all weights of the base, or of a part of it checkpoint
    encoder-frozen   decoder, and if wanted last encoder layers  checkpoint
    lora             adapters                                    adapter, and checkpoint with it merged

If the encoder is trained, it may have auxiliary heads (`heads_weight`), which are not saved. The loss is the
cross-entropy of the tokens of captions plus, weighted, the loss of the heads: `training_model.caption_loss`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
