"""Whole sentences that an error or a model's note adds: each has a code, and is translated where it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headscope.core.sentences_of_gguf import OF_GGUF
from headscope.core.sentences_of_models import OF_CHECKPOINTS
from headscope.core.translating import QT_TRANSLATE_NOOP

SENTENCES: Final[Mapping[str, str]] = {
    **OF_GGUF,
    **OF_CHECKPOINTS,
    "cause": QT_TRANSLATE_NOOP("sentences", "Cause: {words}."),
    # files
    "is_folder": QT_TRANSLATE_NOOP("sentences", "It is a folder."),
    "is_pipe": QT_TRANSLATE_NOOP("sentences", "It is a pipe."),
    "is_socket": QT_TRANSLATE_NOOP("sentences", "It is a socket."),
    "is_device": QT_TRANSLATE_NOOP("sentences", "It is a device."),
    "is_no_file": QT_TRANSLATE_NOOP("sentences", "It is not a regular file."),
    "file_too_large": QT_TRANSLATE_NOOP("sentences", "It is larger than {most} MB."),
    "nested_too_deeply": QT_TRANSLATE_NOOP("sentences", "It is nested too deeply."),
    "not_json": QT_TRANSLATE_NOOP("sentences", "It is not valid JSON ({words})."),
    "reader_crashed": QT_TRANSLATE_NOOP("sentences", "The process that read it crashed."),
    "no_python": QT_TRANSLATE_NOOP("sentences", "There is no Python interpreter to read it safely in a process of its own."),
    "no_process": QT_TRANSLATE_NOOP("sentences", "No process could be started ({words})."),
    "too_slow": QT_TRANSLATE_NOOP("sentences", "Reading it takes more than {seconds} seconds."),
    "too_much_memory": QT_TRANSLATE_NOOP("sentences", "Reading it takes more than {most} MB of memory."),
    # arrays and tokens
    "tokens_of_wrong_type": QT_TRANSLATE_NOOP("sentences", "Tokens must be strings or ids."),
    "text_for_tokens": QT_TRANSLATE_NOOP("sentences", "A text is not a list of tokens."),
    "not_a_list": QT_TRANSLATE_NOOP("sentences", "{type} is not a list."),
    "model_for_weights": QT_TRANSLATE_NOOP("sentences", "This is a model; open it with open_model(model, tokenizer)."),
    "array_axes": QT_TRANSLATE_NOOP("sentences", "An array has {n} axes."),
    "layer_axes": QT_TRANSLATE_NOOP("sentences", "A layer has {n} axes."),
    "keys_of_another_text": QT_TRANSLATE_NOOP("sentences", "The keys belong to another text; pass its tokens as key_tokens."),
    "no_weights": QT_TRANSLATE_NOOP("sentences", "They are empty."),
    "weights_are_nan": QT_TRANSLATE_NOOP("sentences", "Some of them are NaN."),
    "weights_out_of_range": QT_TRANSLATE_NOOP("sentences", "Weights must be between 0 and 1."),
    "heads_differ": QT_TRANSLATE_NOOP("sentences", "All layers must have the same number of heads."),
    "weights_misfit": QT_TRANSLATE_NOOP(
        "sentences", "{rows} × {columns} weights do not fit {n_queries} queries and {n_keys} keys."
    ),
    "values_of_type": QT_TRANSLATE_NOOP("sentences", "Its values are of the type {dtype}."),
    "values_of_shape": QT_TRANSLATE_NOOP("sentences", "Its shape is {shape}."),
    "text_length": QT_TRANSLATE_NOOP("sentences", "It has {size} characters; at most {most} are supported."),
    "word_length": QT_TRANSLATE_NOOP("sentences", "One of its words has {size} characters; at most {most} are supported."),
    "split_into": QT_TRANSLATE_NOOP("sentences", "It is split into {pieces}."),
    "unknown_word": QT_TRANSLATE_NOOP("sentences", "It is unknown."),
    "no_answer_start": QT_TRANSLATE_NOOP("sentences", "No answer can start at token {position}."),
    "no_answer_end": QT_TRANSLATE_NOOP("sentences", "No answer can end at token {position}."),
    "no_classify_head": QT_TRANSLATE_NOOP("sentences", "{model} has no classification head."),
    "no_tag_head": QT_TRANSLATE_NOOP("sentences", "{model} has no token classification head."),
    "no_answer_head": QT_TRANSLATE_NOOP("sentences", "{model} has no question answering head."),
    # attention and scores
    "nothing_captured": QT_TRANSLATE_NOOP("sentences", "No layer left queries and keys or weights to show."),
    "weights_only": QT_TRANSLATE_NOOP("sentences", "Only the weights are known."),
    "softmax_unseen": QT_TRANSLATE_NOOP("sentences", "The model's attention function uses a softmax that cannot be observed."),
    "units_have_weights": QT_TRANSLATE_NOOP("sentences", "Words, sentences and segments have weights only."),
    # analyses
    "values_not_captured": QT_TRANSLATE_NOOP(
        "sentences", "This model computes attention in its own way, and its values cannot be captured."
    ),
    "cross_attention_only": QT_TRANSLATE_NOOP(
        "sentences", "The queries and keys of cross-attention belong to different texts."
    ),
    "several_streams": QT_TRANSLATE_NOOP(
        "sentences", "{architecture} does not pass a single residual stream from layer to layer."
    ),
    "no_final_norm": QT_TRANSLATE_NOOP("sentences", "{architecture} does not read the residual stream through a norm."),
    "head_not_linear": QT_TRANSLATE_NOOP("sentences", "{architecture} has a head that is not linear after its final norm."),
    "class_not_linear": QT_TRANSLATE_NOOP(
        "sentences", "{architecture} does not read the class from one token through a linear layer."
    ),
    "choose_encoder_or_decoder": QT_TRANSLATE_NOOP("sentences", "Choose encoder or decoder attention."),
    "choose_normalized_first": QT_TRANSLATE_NOOP(
        "sentences", "Choose a model that normalizes before each layer, such as GPT-2, Llama or toy:grammar."
    ),
    "choose_captured": QT_TRANSLATE_NOOP("sentences", "Choose a model whose attention is captured fast or as written."),
    "choose_one_stream": QT_TRANSLATE_NOOP("sentences", "Choose a BERT, GPT, Llama or T5."),
    "stream_not_a_sum": QT_TRANSLATE_NOOP(
        "sentences", "{architecture} does not simply add attention and feed-forward outputs to the residual stream."
    ),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A whole sentence by its code.

    Attributes
    ----------
    code : str
        A key of `SENTENCES`.
    parameters : mapping of str to object
        Names and numbers for its placeholders.
    """

    code: str
    parameters: Mapping[str, object]

    def __str__(self) -> str:
        return self.told()

    def told(self, translated: Callable[[str], str] = str) -> str:
        """The sentence, as `translated` has its template."""
        return translated(SENTENCES[self.code]).format(**self.parameters)

    def plain(self) -> dict[str, object]:
        """What JSON can hold of it; `as_sentence` reads it."""
        return {"code": self.code, "parameters": {name: str(value) for name, value in self.parameters.items()}}


def sentence(code: str, **parameters: object) -> Sentence:
    """The sentence with this code, and values for its placeholders."""
    return Sentence(code, parameters)


def as_sentence(value: Any) -> Sentence:
    """A sentence as it is, or from what `Sentence.plain` made of it; a library's or the system's words become its cause."""
    if isinstance(value, Sentence):
        return value
    return Sentence(value["code"], value["parameters"]) if isinstance(value, Mapping) else sentence("cause", words=value)
