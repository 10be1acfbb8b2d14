"""The same folder by plain transformers, as its documentation loads and runs it: what `headscope verify` is held against.

Nothing of Headscope is imported here but errors: `answers` runs in a child process of its own (`core.files.guarded`), in which no
attention function of ours is registered, and leaves its arrays in a file.
"""

from __future__ import annotations

import hashlib
import inspect
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import transformers

from headscope.core.errors import reason_of

_AUTO: Final = (
    ("ForMaskedLM", "AutoModelForMaskedLM"),
    ("ForConditionalGeneration", "AutoModelForSeq2SeqLM"),
    ("MTModel", "AutoModelForSeq2SeqLM"),
    ("EncoderDecoderModel", "AutoModelForSeq2SeqLM"),
    ("ForCausalLM", "AutoModelForCausalLM"),
    ("LMHeadModel", "AutoModelForCausalLM"),
    ("BertGenerationDecoder", "AutoModelForCausalLM"),
    ("EncoderModel", "AutoModelForTextEncoding"),
    ("ForSequenceClassification", "AutoModelForSequenceClassification"),
    ("ForTokenClassification", "AutoModelForTokenClassification"),
    ("ForQuestionAnswering", "AutoModelForQuestionAnswering"),
    ("ForNextSentencePrediction", "AutoModelForNextSentencePrediction"),
    ("ForPreTraining", "AutoModelForPreTraining"),
)
"""The auto class of a task, by how the names of its classes end."""
_MAPS: Final = ("encoder_attentions", "decoder_attentions", "cross_attentions", "attentions")
_HERE: Final = {"local_files_only": True, "trust_remote_code": False}
N_WRITTEN: Final = 8
"""Tokens that are written greedily."""


def answers(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Load folders, or GGUF files, one after another, run each on a text, and say what came of it.

    Parameters
    ----------
    questions : list of dict
        ``folder``; ``arrays``, the ``.npz`` to write: ``encoder_attentions.0`` (head, query, key) …, and ``logits`` (position, outcome);
        ``architecture``, ``dtype``, ``text``, ``pair``, ``target``, ``decoder_ids``, ``writes``, and ``ids`` to be taken in the place of
        the text.

    Returns
    -------
    list of dict
        ``class``, ``ids``, ``texts`` (of each token, None where it stands for none or where the tokenizer does not say),
        ``hashes`` of the parameters by name, ``missing`` parameters that were made up, ``rope``, ``written`` ids, and ``gaps``: by how
        much the logit of each was above the next (or ``could_write``, where it was not asked to). Or ``error``: what transformers says in their place.
    """
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    return [_answer(question) for question in questions]


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    path = Path(question["folder"])
    is_file = path.is_file()
    where = {"pretrained_model_name_or_path": path.parent if is_file else path} | ({"gguf_file": path.name} if is_file else {})
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(**where, **_HERE)
        inputs, texts = _inputs(tokenizer, question)
        module, missing = _model(where, question)
        inputs = _accepted(module, inputs)
        found: dict[str, Any] = {"class": type(module).__name__, "ids": inputs["input_ids"][0].tolist(), "texts": texts}
        found |= {"hashes": hashes(module), "missing": missing, "rope": _plain(getattr(module.config, "rope_parameters", None))}
        with torch.inference_mode():
            if any(hasattr(part, "set_attention_type") for part in module.modules()):
                module(**inputs)  # BigBird's first pass over a short text puts other layers in, whose maps are then returned
            output = module(**inputs, **_decoder_side(module, tokenizer, inputs, question), output_attentions=True)
        kept: dict[str, Any] = _arrays(output)
        np.savez(question["arrays"], **kept)
    except Exception as error:  # whatever it is, it is what an outsider would see
        return {"error": reason_of(error)}
    return found | _written(module, inputs, question)


def _model(where: dict[str, Any], question: dict[str, Any]) -> tuple[Any, list[str]]:
    """The model in evaluation mode, and the names of weights that the files do not have.

    Of the class that its configuration names, if that is ours too: an auto class of the task may give another (SeamlessM4T's gives
    the whole model for its part that reads text). Where no configuration says it, of the task's auto class.
    """
    architecture = question["architecture"]
    auto = next((auto for end, auto in _AUTO if architecture.endswith(end)), "AutoModel")
    options = {"dtype": getattr(torch, question["dtype"]), "attn_implementation": "eager", "output_loading_info": True}
    options |= _HERE
    own = getattr(transformers, architecture, None)
    if own is not None and "gguf_file" not in where:
        named = transformers.PreTrainedConfig.get_config_dict(where["pretrained_model_name_or_path"], **_HERE)[0]
        auto = architecture if architecture in (named.get("architectures") or ()) else auto
    try:
        module, loading = getattr(transformers, auto).from_pretrained(**where, **options)
    except ValueError:  # no auto class of that task knows the model: its own class then
        if own is None or auto == architecture:
            raise
        module, loading = own.from_pretrained(**where, **options)
    return module.eval(), sorted(loading["missing_keys"])


def _inputs(tokenizer: Any, question: dict[str, Any]) -> tuple[dict[str, torch.Tensor], list[str | None] | None]:
    """What the tokenizer makes of the texts, and the text of each token."""
    if question["ids"] is not None:
        ids = torch.tensor([question["ids"]])
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, None
    mask = tokenizer.mask_token
    text, pair = (
        each if each is None or mask is None else each.replace("[MASK]", mask) for each in (question["text"], question["pair"])
    )
    inputs = tokenizer(text, pair, return_tensors="pt", return_token_type_ids=True)  # which the plain call leaves out for XLNet
    texts: list[str | None] | None = None
    if tokenizer.is_fast:
        encoded = tokenizer(text, pair, return_offsets_mapping=True, return_special_tokens_mask=True)
        if _counts_within_words(encoded["offset_mapping"], encoded.sequence_ids(), encoded.word_ids()):
            return _of_a_text(inputs), None
        sources = [text if number in (None, 0) else pair for number in encoded.sequence_ids()]
        spans = zip(sources, encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        texts = [None if special else str(source)[start:end].strip() for source, (start, end), special in spans]
    return _of_a_text(inputs), texts


def _of_a_text(inputs: Any) -> dict[str, torch.Tensor]:
    """All that a tokenizer returns, but for the place in a page that MarkupLM's makes up for a text that is none."""
    return {name: value for name, value in inputs.items() if not name.startswith("xpath_")}


def _counts_within_words(spans: list[tuple[int, int]], texts: list[int | None], words: list[int | None]) -> bool:
    """Whether offsets begin anew with each word, so that they say nothing of the text: MarkupLM's do."""
    known = [each for each in zip(texts, words, spans, strict=True) if each[0] is not None]
    return any(
        text == other and word != other_word and start < end
        for (text, word, (_, end)), (other, other_word, (start, _)) in pairwise(known)
    )


def _accepted(module: Any, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What the model takes of what its tokenizer gives; token types only if it tells types apart."""
    known = set(inspect.signature(module.forward).parameters)
    has_types = getattr(module.config, "type_vocab_size", 0) or any(name.endswith("seg_embed") for name in module.state_dict())
    known -= set() if has_types else {"token_type_ids"}
    return {name: tensor for name, tensor in inputs.items() if name in known}


def _decoder_side(module: Any, tokenizer: Any, inputs: dict[str, torch.Tensor], question: dict[str, Any]) -> dict[str, Any]:
    """Of an encoder-decoder: the target as labels, as in training; without one what Headscope begins with.

    Transformers' `DataCollatorForSeq2Seq` has the model shift them where it offers to. Which token a text without a target begins
    with shows in the greedy text, which `generate` begins by itself.
    """
    if question["decoder_ids"] is None:
        return {}
    if not question["target"]:
        return {"decoder_input_ids": torch.tensor([question["decoder_ids"]])}
    ids = tokenizer(text_target=question["target"])["input_ids"]
    if ids[-1] not in tokenizer.all_special_ids:  # nothing closes the text: the shift would drop its last token
        ids = [*ids, tokenizer.eos_token_id or 0]
    labels = torch.tensor([ids])
    shift = getattr(module, "prepare_decoder_input_ids_from_labels", None)
    return {"labels": labels} | ({} if shift is None else {"decoder_input_ids": shift(labels=labels)})


def _arrays(output: Any) -> dict[str, np.ndarray[Any, Any]]:
    arrays = {
        f"{name}.{index}": layer[0].float().numpy()
        for name in _MAPS
        for index, layer in enumerate(getattr(output, name, None) or ())
        if isinstance(layer, torch.Tensor)  # Pegasus-X's encoder gives parts of one
    }
    for name in ("logits", "prediction_logits", "start_logits", "end_logits", "seq_relationship_logits"):
        if (logits := getattr(output, name, None)) is not None:
            arrays[name] = logits[0].float().numpy()
    return arrays


def _written(module: Any, inputs: dict[str, torch.Tensor], question: dict[str, Any]) -> dict[str, Any]:
    """What it writes greedily with the settings of its folder; where they do not say what it begins with, as Headscope does."""
    if not question["writes"]:
        return {"written": None, "gaps": None, "could_write": bool(module.can_generate())}
    options = {"max_new_tokens": N_WRITTEN, "do_sample": False, "num_beams": 1, "output_logits": True}
    settings = module.generation_config
    if question["decoder_ids"] and settings.decoder_start_token_id is None and settings.bos_token_id is None:
        options["decoder_start_token_id"] = question["decoder_ids"][0]
    try:
        made = module.generate(**inputs, **options, return_dict_in_generate=True)
    except Exception as error:
        return {"written": None, "gaps": None, "unwritten": reason_of(error)}
    gaps = [float((top := step[0].float().topk(2).values)[0] - top[1]) for step in made.logits]
    return {"written": made.sequences[0, -len(made.logits) :].tolist(), "gaps": gaps}


def hashes(module: Any) -> dict[str, str]:
    """Of each parameter and stored buffer, by name: of its very bytes, its shape and its number format."""
    return {name: _hash(tensor) for name, tensor in module.state_dict().items()}


def _hash(tensor: torch.Tensor) -> str:
    plain = tensor.detach().cpu().contiguous().reshape(-1)
    kind = f"{tuple(tensor.shape)} {plain.dtype}"
    return hashlib.blake2b(kind.encode() + plain.view(torch.uint8).numpy().tobytes(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    return {str(key): _plain(each) for key, each in value.items()} if isinstance(value, dict) else value
