"""Why a GGUF file cannot be opened, one sentence a reason: English, marked for translators. "It" is the file."""

from __future__ import annotations

from typing import Final

from headscope.core.translating import QT_TRANSLATE_NOOP

OF_GGUF: Final[dict[str, str]] = {
    # the file
    "not_gguf": QT_TRANSLATE_NOOP("sentences", "It is not a GGUF file."),
    "big_endian": QT_TRANSLATE_NOOP("sentences", "It was written for big-endian machines."),
    "version_unknown": QT_TRANSLATE_NOOP("sentences", "Its format version, {version}, is unknown."),
    "cut_short_or_length": QT_TRANSLATE_NOOP("sentences", "It was cut short, or one of its lengths is wrong."),
    "cut_short_or_count": QT_TRANSLATE_NOOP("sentences", "It was cut short, or its number of {what} is wrong."),
    "cut_short_in_tensor": QT_TRANSLATE_NOOP("sentences", "It was cut short: tensor {tensor} extends beyond its end."),
    "header_too_long": QT_TRANSLATE_NOOP("sentences", "Its header is too long."),
    "became_shorter": QT_TRANSLATE_NOOP("sentences", "It became shorter while it was being read."),
    "text_not_utf8": QT_TRANSLATE_NOOP("sentences", "It contains text that is not UTF-8."),
    "too_many": QT_TRANSLATE_NOOP("sentences", "It has {count} {what}; at most {most} are supported."),
    "alignment": QT_TRANSLATE_NOOP("sentences", "Its alignment is not a power of two."),
    # its parts
    "part_misnamed": QT_TRANSLATE_NOOP(
        "sentences", "It is part {number} of {count}, so its name must end with -{number:05}-of-{count:05}.gguf."
    ),
    "part_missing": QT_TRANSLATE_NOOP("sentences", "It is one of {count} parts, and {part} is not in the same folder."),
    "part_of_another": QT_TRANSLATE_NOOP("sentences", "It is a part of another file."),
    "tensor_in_two_parts": QT_TRANSLATE_NOOP("sentences", "Another part contains tensor {tensor}, too."),
    "parts_misfit": QT_TRANSLATE_NOOP("sentences", "Its parts contain {n} tensors; its header says {total}."),
    # keys
    "key_twice": QT_TRANSLATE_NOOP("sentences", "It has the key {key} twice."),
    "key_missing": QT_TRANSLATE_NOOP("sentences", "The key {key} is missing."),
    "key_not_count": QT_TRANSLATE_NOOP("sentences", "{key} is not a count."),
    "key_not_integer": QT_TRANSLATE_NOOP("sentences", "{key} is not an integer."),
    "key_not_integers": QT_TRANSLATE_NOOP("sentences", "{key} is not a list of integers."),
    "key_not_number": QT_TRANSLATE_NOOP("sentences", "{key} is not a finite number."),
    "key_not_text": QT_TRANSLATE_NOOP("sentences", "{key} is not a string."),
    "key_not_flag": QT_TRANSLATE_NOOP("sentences", "{key} is neither true nor false."),
    "key_not_tokens": QT_TRANSLATE_NOOP("sentences", "{key} is not a list of tokens."),
    "key_of_unknown_type": QT_TRANSLATE_NOOP("sentences", "{key} is of an unknown type ({type})."),
    "key_of_unknown_arrays": QT_TRANSLATE_NOOP("sentences", "{key} is an array of an unknown type ({type})."),
    "key_of_arrays": QT_TRANSLATE_NOOP("sentences", "{key} is an array of arrays."),
    "key_is": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, which is not supported."),
    "key_only": QT_TRANSLATE_NOOP("sentences", "{key} is {value}; only {known} is supported."),
    "key_of_kind": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, which models of this type cannot have."),
    "key_per_layer": QT_TRANSLATE_NOOP("sentences", "{key} has {n} numbers for {n_layers} layers."),
    "key_varies": QT_TRANSLATE_NOOP("sentences", "{key} differs between layers."),
    "key_misfits_tokens": QT_TRANSLATE_NOOP("sentences", "{key} does not fit the {n} tokens."),
    "key_unused": QT_TRANSLATE_NOOP("sentences", "The key {key} would be ignored."),
    "keys_unused": QT_TRANSLATE_NOOP("sentences", "{n} keys would be ignored, for example {key}."),
    # tensors
    "tensor_twice": QT_TRANSLATE_NOOP("sentences", "It has the tensor {tensor} twice."),
    "tensor_missing": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} is missing."),
    "tensor_overlaps": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} overlaps another."),
    "tensor_dimensions": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} has {n} dimensions."),
    "tensor_packing_unknown": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} has an unknown quantization ({packing})."),
    "tensor_packing": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} is quantized as {packing}, which is not supported."),
    "tensor_packing_shape": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} has a shape that {packing} does not allow."),
    "tensor_unaligned": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} is not aligned."),
    "tensor_misshapen": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} is {shape}; the model needs {expected}."),
    "tensor_shape": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} does not have the shape that the model needs."),
    "tensor_unused": QT_TRANSLATE_NOOP("sentences", "The tensor {tensor} would be ignored."),
    "tensors_unused": QT_TRANSLATE_NOOP("sentences", "{n} tensors would be ignored, for example {tensor}."),
    "tensor_unread": QT_TRANSLATE_NOOP("sentences", "The weight {tensor} could not be read from it."),
    "weight_without_tensor": QT_TRANSLATE_NOOP("sentences", "No tensor is known for the weight {weight}."),
    "factors_misfit": QT_TRANSLATE_NOOP(
        "sentences", "The tensor {tensor} does not contain one factor for each of {n} frequencies."
    ),
    # the model
    "no_queries_and_keys": QT_TRANSLATE_NOOP("sentences", "It contains no queries and keys."),
    "no_kind": QT_TRANSLATE_NOOP("sentences", "It does not name its model type."),
    "kind_unknown": QT_TRANSLATE_NOOP("sentences", "Its model type, {kind}, is unknown."),
    "not_a_model": QT_TRANSLATE_NOOP("sentences", "Its type is {kind}, not model."),
    "packing": QT_TRANSLATE_NOOP("sentences", "It is quantized as {packing}, which is not supported."),
    "not_built": QT_TRANSLATE_NOOP("sentences", "{model} cannot be built from it ({words})."),
    "heads_share_keys": QT_TRANSLATE_NOOP("sentences", "Its heads share keys, which models of this type cannot do."),
    "head_dimensions": QT_TRANSLATE_NOOP("sentences", "Its heads have {n} dimensions, which models of this type cannot have."),
    "rotated_in_part": QT_TRANSLATE_NOOP(
        "sentences", "It rotates {n} of the {n_dimensions} dimensions of a head; models of this type rotate all of them."
    ),
    "scaled_twice": QT_TRANSLATE_NOOP("sentences", "Its positions are scaled in two ways at once."),
    "scaling_unknown": QT_TRANSLATE_NOOP("sentences", "Its positions are scaled in an unknown way ({scaling})."),
    "value_length": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but keys have {n} dimensions."),
    "not_causal": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but a decoder's attention is causal."),
    "vocabulary_size": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but the embedding has {n} rows."),
    "expert_size": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but its experts have {n} rows."),
    "expert_gating": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but models of this type choose experts by sigmoids."),
    "no_factors": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but its positions have no scaling factors."),
    # the tokenizer
    "tokenizer_unknown": QT_TRANSLATE_NOOP("sentences", "Its tokenizer type, {kind}, is unknown."),
    "tokenizer_not_built": QT_TRANSLATE_NOOP("sentences", "Its tokenizer cannot be built ({words})."),
    "splitting_unknown": QT_TRANSLATE_NOOP("sentences", "Its tokenizer splits texts in an unknown way ({name})."),
    "no_vocabulary": QT_TRANSLATE_NOOP("sentences", "It has no vocabulary."),
    "token_twice": QT_TRANSLATE_NOOP("sentences", "It has the same token twice."),
    "blanks_twice": QT_TRANSLATE_NOOP("sentences", "It has the same run of spaces twice."),
    "scores_not_finite": QT_TRANSLATE_NOOP("sentences", "Some scores of its tokens are not finite."),
    "charsmap_damaged": QT_TRANSLATE_NOOP("sentences", "Its precompiled_charsmap is damaged."),
    "no_merges": QT_TRANSLATE_NOOP("sentences", "It has no merges."),
    "merge_of_one": QT_TRANSLATE_NOOP("sentences", "It has a merge of a single part ({merge})."),
    "byte_level_prefix": QT_TRANSLATE_NOOP(
        "sentences", "{key} is {value}, but a byte-level vocabulary puts no space before a text."
    ),
    "byte_level_spaces": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but a byte-level vocabulary keeps all spaces."),
    "no_splitting": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but a SentencePiece vocabulary does not split texts."),
    "no_separator": QT_TRANSLATE_NOOP("sentences", "{key} is {value}, but no supported model type separates texts by a token."),
}
