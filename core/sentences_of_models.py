"""Why a checkpoint cannot be opened, and what of a model is not shown, one sentence each: English, marked for translators."""

from __future__ import annotations

from typing import Final

from headscope.core.translating import QT_TRANSLATE_NOOP

OF_CHECKPOINTS: Final[dict[str, str]] = {
    # files of weights
    "lfs_pointer": QT_TRANSLATE_NOOP("sentences", "It is only a pointer left by Git LFS, not the file itself."),
    "no_named_weights": QT_TRANSLATE_NOOP("sentences", "It contains no named weights."),
    "index_empty": QT_TRANSLATE_NOOP("sentences", "It lists no weights."),
    "index_misnames": QT_TRANSLATE_NOOP("sentences", "It lists {file}, which is not a file in this folder."),
    "header_implausible": QT_TRANSLATE_NOOP("sentences", "The length of its header is implausible."),
    "compressed": QT_TRANSLATE_NOOP("sentences", "It is compressed."),
    "tensor_cut_short": QT_TRANSLATE_NOOP("sentences", "One of its tensors is longer than its data."),
    "torch_cannot_read": QT_TRANSLATE_NOOP("sentences", "PyTorch's weights-only loader cannot read it."),
    "holds_object": QT_TRANSLATE_NOOP("sentences", "It contains a Python object ({name}), not only tensors."),
    "holds_pickle": QT_TRANSLATE_NOOP("sentences", "It contains a pickle that PyTorch did not write."),
    "weights_missing": QT_TRANSLATE_NOOP("sentences", "{n} of its weights are missing, for example {weight}."),
    # weights of other kinds
    "training_checkpoint_key": QT_TRANSLATE_NOOP("sentences", "It is a training checkpoint with its weights under {key}."),
    "tensors_unnamed": QT_TRANSLATE_NOOP("sentences", "Its tensors have no names."),
    "packed_for_mlx": QT_TRANSLATE_NOOP("sentences", "Its weights are packed for MLX."),
    "tensorflow_weights": QT_TRANSLATE_NOOP("sentences", "It contains TensorFlow weights ({name})."),
    "tensorflow_checkpoint": QT_TRANSLATE_NOOP("sentences", "It contains a TensorFlow checkpoint ({name})."),
    "flax_weights": QT_TRANSLATE_NOOP("sentences", "It contains Flax weights ({name})."),
    "onnx_model": QT_TRANSLATE_NOOP("sentences", "It contains an ONNX model ({name})."),
    "openvino_model": QT_TRANSLATE_NOOP("sentences", "It contains an OpenVINO model ({name})."),
    "tensorflow_lite_model": QT_TRANSLATE_NOOP("sentences", "It contains a TensorFlow Lite model ({name})."),
    "core_ml_model": QT_TRANSLATE_NOOP("sentences", "It contains a Core ML model ({name})."),
    "rust_weights": QT_TRANSLATE_NOOP("sentences", "It contains weights for Rust ({name})."),
    "nemo_archive": QT_TRANSLATE_NOOP("sentences", "It contains a NeMo archive ({name})."),
    "tensorrt_engine": QT_TRANSLATE_NOOP("sentences", "It contains a TensorRT engine ({name})."),
    "original_weights": QT_TRANSLATE_NOOP("sentences", "It contains weights under their original names ({name})."),
    "mlx_weights": QT_TRANSLATE_NOOP("sentences", "It contains weights for MLX ({name})."),
    "adapter_alone": QT_TRANSLATE_NOOP("sentences", "It contains an adapter without its base model ({name})."),
    "ctranslate_model": QT_TRANSLATE_NOOP("sentences", "It contains a CTranslate2 model ({name})."),
    "training_checkpoint": QT_TRANSLATE_NOOP("sentences", "It contains a training checkpoint ({name})."),
    "torch_file": QT_TRANSLATE_NOOP("sentences", "It contains a PyTorch file without a model's configuration ({name})."),
    "weights_misnamed": QT_TRANSLATE_NOOP("sentences", "It contains weights under another name ({name})."),
    # configurations
    "config_not_object": QT_TRANSLATE_NOOP("sentences", "config.json is not a JSON object."),
    "config_unreadable": QT_TRANSLATE_NOOP("sentences", "config.json cannot be read. {reason}"),
    "adapter_config_unreadable": QT_TRANSLATE_NOOP("sentences", "{file} does not describe a supported adapter."),
    "config_exceeds_weights": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but there are only {n} weight tensors."),
    "config_not_token": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, which is not a token id."),
    "config_not_computed": QT_TRANSLATE_NOOP(
        "sentences", "{key} is {value}, which transformers' {architecture} does not compute."
    ),
    "config_misfits_weights": QT_TRANSLATE_NOOP(
        "sentences", "{weight} has the shape {found} in the weights and {expected} in the configuration."
    ),
    "integers_unexplained": QT_TRANSLATE_NOOP(
        "sentences", "{weight} contains integers, and the configuration does not say how they are packed."
    ),
    "packing_unknown": QT_TRANSLATE_NOOP(
        "sentences", "Its weights are packed by {method}, which transformers does not support."
    ),
    "too_many_modules": QT_TRANSLATE_NOOP("sentences", "It asks for more than {most} modules, for {n} weight tensors."),
    "too_many_numbers": QT_TRANSLATE_NOOP("sentences", "It asks for {asked} numbers in {name}; the weights contain {n}."),
    # adapters and libraries
    "adapter_faults": QT_TRANSLATE_NOOP("sentences", "{n} of its weights have no counterpart there, for example {weight}."),
    "tokenizer_needs": QT_TRANSLATE_NOOP("sentences", "The tokenizer of {name} needs it."),
    "adapter_needs": QT_TRANSLATE_NOOP("sentences", "Adapters of the type {kind} need it."),
    "format_needs": QT_TRANSLATE_NOOP("sentences", "The number format {dtype} needs it."),
    "packing_needs": QT_TRANSLATE_NOOP("sentences", "Checkpoints packed by {method} need it."),
    "wrap_pipeline": QT_TRANSLATE_NOOP("sentences", "Wrap its .model, with its .tokenizer, instead."),
    "wrap_first_module": QT_TRANSLATE_NOOP("sentences", "Wrap its first module's .auto_model, with its .tokenizer, instead."),
    "wrap_part": QT_TRANSLATE_NOOP("sentences", "Wrap its .{part} instead."),
    # tokenizers
    "token_too_long": QT_TRANSLATE_NOOP("sentences", "One of its tokens has {n} characters."),
    "tokenizer_file_too_large": QT_TRANSLATE_NOOP("sentences", "It is too large for a tokenizer file."),
    "chat_too_long": QT_TRANSLATE_NOOP("sentences", "It adds {n} characters."),
    # models without attention maps
    "state_space": QT_TRANSLATE_NOOP("sentences", "Its layers are state-space layers, which have no attention weights."),
    "recurrent": QT_TRANSLATE_NOOP("sentences", "Its layers are recurrent and have no attention weights."),
    "bands": QT_TRANSLATE_NOOP("sentences", "It attends in bands around each token, so there is no tokens × tokens map."),
    "pooled": QT_TRANSLATE_NOOP(
        "sentences", "Its later layers attend among pooled tokens, so there is no tokens × tokens map."
    ),
    "hashed": QT_TRANSLATE_NOOP(
        "sentences", "It attends within chunks of tokens chosen by a hash, so there is no tokens × tokens map."
    ),
    "fourier": QT_TRANSLATE_NOOP("sentences", "It mixes tokens by Fourier transforms, which have no weights."),
    "estimated": QT_TRANSLATE_NOOP("sentences", "It estimates attention by hashing and never forms the weights."),
    "resolutions": QT_TRANSLATE_NOOP(
        "sentences", "It computes attention at several resolutions and never forms the whole map."
    ),
    "latent": QT_TRANSLATE_NOOP("sentences", "It attends among latent vectors, not among tokens."),
    "patches": QT_TRANSLATE_NOOP(
        "sentences", "It attends among bytes and patches of bytes in turn, so there is no tokens × tokens map."
    ),
    "returns_no_maps": QT_TRANSLATE_NOOP("sentences", "It returns no tokens × tokens maps."),
    # what of a model is not shown
    "no_encoder_attention": QT_TRANSLATE_NOOP("sentences", "Its encoder attention cannot be shown."),
    "no_decoder_attention": QT_TRANSLATE_NOOP("sentences", "Its decoder attention cannot be shown."),
    "no_cross_attention": QT_TRANSLATE_NOOP("sentences", "Its cross-attention cannot be shown."),
    "layers_shown": QT_TRANSLATE_NOOP(
        "sentences", "{shown} of its {n_layers} layers attend and are shown; the others mix tokens without attention weights."
    ),
    "adapter_ignored": QT_TRANSLATE_NOOP("sentences", "The adapter beside its weights is not applied: peft is not installed."),
    "class_replaced": QT_TRANSLATE_NOOP("sentences", "transformers has no {wanted}; its weights are opened as {architecture}."),
    "head_incomplete": QT_TRANSLATE_NOOP(
        "sentences", "Some weights of its head are missing, for example {weight}; what they predict is not available."
    ),
    "weights_foreign": QT_TRANSLATE_NOOP("sentences", "{architecture} does not use {n} of its weights, for example {weight}."),
    "settings_unread": QT_TRANSLATE_NOOP(
        "sentences", "transformers' {architecture} ignores these settings in config.json: {keys}."
    ),
    "no_places": QT_TRANSLATE_NOOP(
        "sentences", "It was made for document pages; here it reads text without positions on a page."
    ),
    "appends_to_write": QT_TRANSLATE_NOOP(
        "sentences", "It generates by reading an extra token after the text, which is not supported: it does not generate here."
    ),
    "reads_again_to_write": QT_TRANSLATE_NOOP(
        "sentences",
        "It generates by reading the whole text again at every step, which is not supported: it does not generate here.",
    ),
    "writes_in_its_own_way": QT_TRANSLATE_NOOP(
        "sentences", "transformers generates with it in a special way, which is not supported: it does not generate here."
    ),
    "positions_from_0": QT_TRANSLATE_NOOP(
        "sentences", "transformers numbers positions from 0 when it generates, but after the padding id when it reads a text."
    ),
    # what releases of libraries lack
    "library_changed": QT_TRANSLATE_NOOP("sentences", "{library} lacks something that Headscope uses."),
    "without_masks": QT_TRANSLATE_NOOP("sentences", "Attention is captured as whole matrices, which takes more memory."),
    "without_cache_layer": QT_TRANSLATE_NOOP(
        "sentences", "Each step of a generation copies its cache, and other branches start again from the beginning."
    ),
    "without_cache_layers": QT_TRANSLATE_NOOP("sentences", "Each step of a generation reads the whole text again."),
    "without_attention_name": QT_TRANSLATE_NOOP("sentences", "No model can be opened."),
    "without_lazy_weights": QT_TRANSLATE_NOOP("sentences", "Opening a model takes longer."),
    "without_model_file": QT_TRANSLATE_NOOP(
        "sentences", "Models whose configuration does not name their class cannot be opened."
    ),
    "without_packings": QT_TRANSLATE_NOOP("sentences", "Packed checkpoints cannot be opened."),
    "without_rule": QT_TRANSLATE_NOOP("sentences", "A rule in a model's generation settings is not applied."),
    "without_resuming": QT_TRANSLATE_NOOP("sentences", "A stopped download starts again from the beginning."),
    "without_blocks": QT_TRANSLATE_NOOP("sentences", "Downloads take longer to stop."),
    "without_no_answer": QT_TRANSLATE_NOOP("sentences", "An unreachable hub is reported in technical terms."),
    "without_bars": QT_TRANSLATE_NOOP("sentences", "Progress bars appear in the terminal while a model opens."),
    "without_encoder_output": QT_TRANSLATE_NOOP("sentences", "Encoder–decoder models do not generate."),
    "without_offloading": QT_TRANSLATE_NOOP("sentences", "Models cannot be spread over several devices."),
    "without_report": QT_TRANSLATE_NOOP(
        "sentences", "Checkpoints cannot be opened: it does not report which weights it loaded."
    ),
}
