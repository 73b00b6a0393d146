"""Write checkpoints as graphs for ONNX Runtime and OpenVINO, and run these graphs like the original model.

A folder has three graphs, whose names, inputs and outputs are those of Optimum: the encoder; the decoder for
the tokens before the text, which also computes the keys and values of the audio; and the decoder for one more
token. Graphs accept any batch size and any number of frames and tokens.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import gelu
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from budew.errors import CheckpointError, InputError, require
from budew.model.build import ENCODER_STRIDE
from budew.model.checkpoint import Checkpoint, fitted, load_processor, loading
from budew.model.cpu_precision import check_precision, fastest
from budew.model.file_checks import check_config, check_features, read_json
from budew.model.quiet import quiet_transformers

Library = Literal["onnx", "openvino"]
Graph = Callable[[dict[str, NDArray[Any]]], list[NDArray[Any]]]
"""Function from arrays by input name to the list of outputs."""
PARTS = ("encoder_model", "decoder_model", "decoder_with_past_model")
PRECISIONS: dict[Library, tuple[str, ...]] = {"onnx": ("float32", "int8"), "openvino": ("float32", "float16")}
"""Precisions of the weights. int8 rounds matrices, and inputs scaled by the largest value of the batch."""

_FILES: dict[Library, str] = {"onnx": "{}.onnx", "openvino": "openvino_{}.xml"}
_MODULES: dict[Library, str] = {"onnx": "onnxruntime", "openvino": "openvino"}
_HINTS = {"float32": "f32", "bfloat16": "bf16"}


def library_of(folder: Path) -> Library | None:
    """Return the library that runs the graphs in a folder; None if the folder has no graphs."""
    return next((name for name, file in _FILES.items() if (folder / file.format(PARTS[0])).is_file()), None)


def write_graphs(checkpoint: Checkpoint, folder: Path, library: Library, dtype: str) -> None:
    """Write the graphs of a checkpoint and its config into a folder.

    Args:
        checkpoint: model in float32 on the CPU.
        folder: existing folder.
        library: "onnx" or "openvino".
        dtype: precision of the weights, one of `PRECISIONS`.

    Raises:
        MissingExtraError: a library is not installed.
    """
    for needed in ("onnxscript", _MODULES[library]):
        require(needed, extra="export", purpose="budew export")
    model = checkpoint.model
    model.config.stored_dtype = dtype
    model.config.save_pretrained(folder)
    frames = ENCODER_STRIDE * model.config.max_source_positions
    before = torch.ones(2, 3, dtype=torch.long)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of torch about the names of axes
        features = torch.zeros(2, model.config.num_mel_bins, frames)
        states = _Encoder(model)(features)
        _, *kept = _First(model)(before, states)
        short = {2: "frames"} if checkpoint.short_windows else {}
        past = [{0: "batch", 2: "audio" if "encoder" in name else "past"} for name in _names(model, "")]
        given: list[tuple[torch.nn.Module, tuple[Any, ...], Any, list[str], list[str]]] = [
            (
                _Encoder(model),
                (features,),
                ({0: "batch", **short},),
                ["input_features"],
                ["last_hidden_state"],
            ),
            (
                _First(model),
                (before, states),
                ({0: "batch", 1: "tokens"}, {0: "batch", 1: "audio"}),
                ["input_ids", "encoder_hidden_states"],
                ["logits", *_names(model, "present")],
            ),
            (
                _Next(model),
                (before[:, :1], kept),
                ({0: "batch"}, past),
                ["input_ids", *_names(model, "past_key_values")],
                ["logits", *(name for name in _names(model, "present") if ".decoder." in name)],
            ),
        ]
        for part, (module, inputs, shapes, input_names, output_names) in zip(PARTS, given, strict=True):
            program: Any = torch.onnx.export(
                module.eval(),
                inputs,
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=input_names,
                output_names=output_names,
                verbose=False,
            )
            for node in program.model.graph.all_nodes():
                node.metadata_props.pop("pkg.torch.onnx.stack_trace", None)  # has paths of this machine
            file = folder / f"{part}.onnx"
            program.save(file)
            _finish(file, folder / _FILES[library].format(part), library, dtype)


def load_graphs(folder: Path, name: str, *, dtype: str | None = None) -> Checkpoint:
    """Load a folder of graphs as a checkpoint that runs on the CPU.

    Args:
        folder: folder with the graphs.
        name: name to show for the checkpoint.
        dtype: precision in which OpenVINO computes, float32 or bfloat16; None: the faster one that works (see
            `budew.model.cpu_precision`). For ONNX it must be None.

    Raises:
        CheckpointError: graphs are missing or damaged, or the parts do not fit each other.
        InputError: the graphs or this CPU do not support the dtype.
        MissingExtraError: the library is not installed.
    """
    library = library_of(folder)
    if library is None:
        raise CheckpointError(f"{name} has no ONNX or OpenVINO graphs: give a folder that budew export made")
    if dtype is not None and (library == "onnx" or dtype not in _HINTS):
        others = "" if library == "onnx" else f" or choose {' or '.join(_HINTS)}"
        raise InputError(f"{name} cannot run in {dtype}: leave dtype out{others}")
    config = WhisperConfig.from_dict(check_config(folder, name))
    check_features(folder, name)
    stored = str(getattr(config, "stored_dtype", "float32"))
    graphs, computed = [], stored
    if library == "openvino":
        require("openvino", extra="export", purpose="models of OpenVINO")
        computed = dtype or fastest("openvino")
        check_precision("openvino", computed)
    for part in PARTS:
        file = folder / _FILES[library].format(part)
        with loading(f"{name}: {part}"):
            graphs.append(_RUN_BY[library](file, computed))
    with quiet_transformers(), torch.device("meta"):
        model = GraphWhisper(config, graphs)
    model.generation_config = GenerationConfig.from_dict(read_json(folder / "generation_config.json", name))
    with quiet_transformers():
        processor = load_processor(name, folder)
    return replace(fitted(model, processor, name), dtype=computed, library=_MODULES[library])


class GraphWhisper(WhisperForConditionalGeneration):  # type: ignore[misc]  # untyped
    """Graphs with the interface of a Whisper, so that `generate` works with prompts, beams and sampling.

    Args:
        config: config of the model.
        graphs: the three graphs, in the order of `PARTS`.
    """

    def __init__(self, config: WhisperConfig, graphs: Sequence[Graph]) -> None:
        super().__init__(config)  # on the meta device, so that layers have no weights
        self._encode, self._begin, self._continue = graphs
        self.model.encoder.forward = self._states

    device = property(lambda self: torch.device("cpu"))
    dtype = property(lambda self: torch.float32)

    def _states(self, input_features: torch.Tensor, **_: Any) -> Any:
        (states,) = self._encode({"input_features": input_features.numpy()})
        return BaseModelOutput(last_hidden_state=torch.from_numpy(states))

    def forward(
        self,
        decoder_input_ids: torch.Tensor,
        encoder_outputs: Any,
        past_key_values: EncoderDecoderCache | None = None,
        **_: Any,
    ) -> Any:
        """Run the decoder; return logits (batch, tokens, vocabulary), and all keys and values so far."""
        tokens = decoder_input_ids.contiguous().numpy()
        if past_key_values is None or past_key_values.get_seq_length() == 0:
            states = encoder_outputs[0].contiguous().numpy()
            logits, *kept = self._begin({"input_ids": tokens, "encoder_hidden_states": states})
            cache = _cache([torch.from_numpy(array) for array in kept])
        else:
            cache = past_key_values
            past = zip(_names(self, "past_key_values"), _flat(cache), strict=True)
            given = {name: tensor.contiguous().numpy() for name, tensor in past}
            logits, *kept = self._continue({"input_ids": tokens, **given})
            for number, layer in enumerate(cache.self_attention_cache.layers):  # keep the cache of the audio
                layer.keys, layer.values = map(torch.from_numpy, kept[2 * number : 2 * number + 2])
        return Seq2SeqLMOutput(logits=torch.from_numpy(logits), past_key_values=cache)


class _Encoder(torch.nn.Module):
    """The encoder for windows of any length up to its own, as the stock encoder in `short_window`."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder = model.get_encoder()

    def forward(self, input_features: torch.Tensor) -> torch.Tensor:
        encoder = self.encoder
        states = gelu(encoder.conv2(gelu(encoder.conv1(input_features)))).permute(0, 2, 1)
        states = states + encoder.embed_positions.weight[: states.shape[1]]
        for layer in encoder.layers:
            states = layer(states, None)
        normed: torch.Tensor = encoder.layer_norm(states)
        return normed


class _First(torch.nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.whisper = model

    def forward(self, input_ids: torch.Tensor, encoder_hidden_states: torch.Tensor) -> list[torch.Tensor]:
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        return [_logits(self.whisper, input_ids, encoder_hidden_states, cache), *_flat(cache)]


class _Next(_First):
    def forward(self, input_ids: torch.Tensor, past: list[torch.Tensor]) -> list[torch.Tensor]:  # type: ignore[override]
        cache = _cache(past)
        unused = past[2].new_zeros(1, 1, 1)  # for the encoder states, whose keys and values are in `past`
        logits = _logits(self.whisper, input_ids, unused, cache)
        own = [tensor for number, tensor in enumerate(_flat(cache)) if number % 4 < 2]
        return [logits, *own]


def _logits(model: Any, tokens: torch.Tensor, states: torch.Tensor, cache: Any) -> torch.Tensor:
    written = model.model.decoder(
        input_ids=tokens, encoder_hidden_states=states, past_key_values=cache, use_cache=True
    )
    logits: torch.Tensor = model.proj_out(written.last_hidden_state)
    return logits


def _names(model: Any, prefix: str) -> list[str]:
    """Return the names of the keys and values, in the order of `_flat`."""
    kinds = [f"{side}.{what}" for side in ("decoder", "encoder") for what in ("key", "value")]
    return [f"{prefix}.{layer}.{kind}" for layer in range(model.config.decoder_layers) for kind in kinds]


def _flat(cache: Any) -> list[torch.Tensor]:
    sides = cache.self_attention_cache.layers, cache.cross_attention_cache.layers
    return [tensor for pair in zip(*sides, strict=True) for one in pair for tensor in (one.keys, one.values)]


def _cache(tensors: Sequence[torch.Tensor]) -> EncoderDecoderCache:
    own, cross = DynamicCache(), DynamicCache()
    for number in range(0, len(tensors), 4):
        own.update(*tensors[number : number + 2], number // 4)
        cross.update(*tensors[number + 2 : number + 4], number // 4)
    cache = EncoderDecoderCache(own, cross)
    cache.is_updated = dict.fromkeys(range(len(tensors) // 4), True)
    return cache


def _finish(made: Path, target: Path, library: Library, dtype: str) -> None:
    """Finish the export of a graph: convert the ONNX file to OpenVINO, or quantize it for int8."""
    if library == "openvino":
        openvino = require("openvino", extra="export", purpose="budew export")
        openvino.save_model(openvino.convert_model(made), target, compress_to_fp16=dtype == "float16")
        made.unlink()
        made.with_name(f"{made.name}.data").unlink(missing_ok=True)
    elif dtype == "int8":
        quantization = require("onnxruntime.quantization", extra="export", purpose="budew export")
        whole = made.rename(made.with_suffix(".whole"))
        quantization.quantize_dynamic(whole, target, op_types_to_quantize=["MatMul"])
        whole.unlink()


def _onnx(file: Path, dtype: str) -> Graph:
    library = require("onnxruntime", extra="export", purpose="graphs of ONNX")
    options = library.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = library.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, inputs)


def _openvino(file: Path, dtype: str) -> Graph:
    library = require("openvino", extra="export", purpose="models of OpenVINO")
    settings = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "INFERENCE_PRECISION_HINT": _HINTS[dtype]}
    model = library.Core().compile_model(str(file), "CPU", settings)
    return lambda inputs: [np.array(array) for array in model(inputs).to_tuple()]


_RUN_BY: dict[Library, Callable[[Path, str], Graph]] = {"onnx": _onnx, "openvino": _openvino}
