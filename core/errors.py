"""Every error a user can meet: a code, its parameters, a plain English sentence and a remedy.

The screen translates by code; everything else prints the English fallback. An exception that is not a
`HeadscopeError` is a bug of ours and is shown with its details.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from headscope.core.keep import Offer

LONGEST_SENTENCE: Final = 300
"""Characters of what an error says on the screen and in the terminal."""
_LONGEST_REASON, _LONGEST_DETAILS, _LEAST_OF_A_PARAMETER = 160, 20_000, 8

# code -> (what happened, what to do about it). Both are format strings over the error's parameters.
MESSAGES: Final[dict[str, tuple[str, str]]] = {
    # text
    "empty_text": ("There is no text.", "Enter a sentence."),
    "no_mask": (
        "The text has no {mask_token}.",
        "Put {mask_token} where a word should be predicted.",
    ),
    "text_too_long": (
        "The tokenizer of this model reads a {what} of at most {most} characters, and this one has {size}.",
        "Shorten the text.",
    ),
    # abilities
    "model_gone": ("The model that generated this text is no longer open.", "Open it again, and generate the text again."),
    "no_model": ("No model is open.", "Open one first."),
    "cannot_fill_mask": (
        "{model} does not predict masked words.",
        "Choose a masked language model, such as toy:grammar or a BERT.",
    ),
    "cannot_classify": (
        "{model} has no {what} head.",
        "Choose a model with such a head.",
    ),
    "answers_by_beams": (
        "{architecture} searches for answers with beams and gives no start and end logits; only its attention is shown.",
        "Choose a question answering model with plain start and end logits, as {architecture}Simple has.",
    ),
    "head_missing": (
        "{model} was saved without the weights of its {head} head, so it predicts nothing.",
        "Look at its attention, or choose a checkpoint that was trained and saved with the head.",
    ),
    "multiple_choice": (
        "{model} chooses among several answers, each read in a text of its own, and Headscope reads one text at a time.",
        "Choose its encoder without that head, or a sequence classifier.",
    ),
    "needs_context": (
        "{model} searches for the answer in a second text, and there is none.",
        "Give the context as the second text; the first is the question.",
    ),
    "no_such_answer": (
        "No answer can {span} at token {position}.",
        "Choose a token of the second text; they go from {first} to {last}.",
    ),
    "unknown_label": ("There is no label {label}.", "Labels, by name or number: {known}."),
    "cannot_generate": ("{model} cannot generate text.", "Choose a decoder, such as toy:tales or a GPT."),
    "predicts_nothing": (
        "{model} has no head that predicts anything; only its attention is shown.",
        "Choose a language model, a classifier, a tagger or a question answering model.",
    ),
    "writes_in_its_own_way": (
        "{model} generates in its own way, which Headscope does not support.",
        "Choose another decoder, such as toy:tales or a GPT.",
    ),
    "cannot_predict": ("{model} has no head that predicts tokens.", "Choose a masked language model or a decoder."),
    "cannot_chat": ("{model} has no chat template.", "Generate without it, or choose an instruction-tuned model."),
    "chat_template_failed": (
        "The chat template of the model fails: {reason}.",
        "Generate without it, or without a system prompt.",
    ),
    "cannot_next_sentence": ("{model} has no next-sentence head.", "Choose toy:grammar or a BERT with its pre-training heads."),
    "record_of_another_model": ("This picture does not belong to {model}.", "Run {model} on the text first."),
    "no_attention": ("{model} gives no attention weights: {reason}.", "Choose a model whose layers attend."),
    "no_scores": (
        "There are no scores from before the softmax: {reason}.",
        "Look at the weights, or at single tokens of a model whose queries and keys are kept.",
    ),
    "no_token_left": (
        "The generation rules exclude every token; the last of them is {rule}.",
        "Switch a rule off.",
    ),
    "no_languages": ("{model} has no language codes.", "Leave out the languages, or choose a multilingual translation model."),
    "no_source_language": (
        "{model} takes no source language.",
        "Leave out the source language; the target language can be chosen.",
    ),
    "unknown_language": ("{model} has no language called {language}.", "Some of those it has: {known}."),
    "no_room": ("The text fills all {max_tokens} positions of {model}.", "Shorten it: new tokens need positions too."),
    # finding and reading a model
    "no_name": ("There is no model name.", "Give a folder, a .gguf file, or a name such as toy:grammar."),
    "unknown_toy": ("There is no toy called {name}.", "Toys on this computer: {known}."),
    "model_not_found": ("No model is called {name}.", "Check the spelling, or give a folder or a .gguf file."),
    "revision_not_found": (
        "{name} has no revision {revision}.",
        "Give one of its branches, tags or commits, or none.",
    ),
    "model_gated": (
        "Access to {name} is restricted by its owners.",
        "Request access on its hub page, log in with 'hf auth login', and try again.",
    ),
    "path_not_found": ("{path} does not exist.", "Check the path."),
    "folder_without_model": ("{path} holds no model: {missing} is missing.", "Choose a folder with config.json and weights."),
    "weights_unsupported": (
        "{path} holds {what}, which cannot be read here.",
        "Save the model with transformers' save_pretrained, and open that folder.",
    ),
    "several_models": ("{path} holds several models: {names}.", "Open one of these folders."),
    "wrap_inside": ("{kind} is not itself a transformers model, but contains one.", "Wrap {inside} instead."),
    "adapter_unsupported": (
        "{model} is an adapter of the kind {kind}, which does more than change the model's weights.",
        "Choose a LoRA or another adapter that can be merged.",
    ),
    "adapter_misfit": (
        "The adapter {path} does not fit {base}: {reason}.",
        "Choose the model that it was trained on.",
    ),
    "no_tokenizer": ("{path} holds no tokenizer that can be read.", "Put the model's tokenizer files beside its weights."),
    "tokenizer_broken": (
        "The tokenizer of {path} cannot be used: {reason}.",
        "Copy the model's tokenizer files again, or choose another model.",
    ),
    "text_not_split": (
        "The model's tokenizer cannot split this text: {reason}.",
        "Shorten the text, or choose another model.",
    ),
    "tokenizer_unfit": (
        "{model} has no embedding for the token {token}: its tokenizer is another model's.",
        "Put the model's own tokenizer files beside its weights.",
    ),
    "not_one_token": (
        "The word “{token}” is not one token of {model}: {found}.",
        "Give one token; in many models, a word's token includes the space before it.",
    ),
    "no_end_token": (
        "{model} reads a text's class at its last end token, {token}, and there is none.",
        "Give ids that end with {id}, or the text itself; if that fails, put the model's own tokenizer files beside its weights.",
    ),
    "no_such_id": ("There is no token with the id {id}.", "Ids of this vocabulary go from 0 to {last}."),
    "checkpoint_damaged": ("{path} is damaged or was cut short: {reason}.", "Download or copy the file again."),
    "weights_left_out": (
        "{model} is more than transformers' {architecture}, which would leave out {n} of its weights, {weight} for one.",
        "Choose a model that this version of transformers computes as it was trained.",
    ),
    "checkpoint_unsafe": (
        "{path} was refused: it holds {what}, not only tensors.",
        "Save the model as safetensors (model.save_pretrained) and open that.",
    ),
    "gguf_unsupported": ("{path} cannot be opened: {reason}.", "Choose another file, or the model's folder in safetensors."),
    "architecture_unsupported": ("{model} is of the kind {architecture}, which cannot be opened here.", "Choose a text model."),
    "config_invalid": ("The configuration of {model} cannot be used: {reason}.", "Choose another model."),
    "not_a_number": (
        "{model} produces NaN or infinite values in {dtype}.",
        "Choose dtype float32, or another model if it is float32 already.",
    ),
    "needs_library": (
        "{what} needs the library {library}, which is not installed.",
        "Install it, or choose another model or number format.",
    ),
    "library_unfit": (
        "With {library}, {without}.",
        "Install an older release of it: Headscope's README names those it was tested with.",
    ),
    "needs_remote_code": (
        "{model} needs Python code of its own to run, and Headscope never runs code from a model.",
        "Choose a model that transformers supports itself.",
    ),
    "offline": (
        "{name} is not on this computer and the hub cannot be reached.",
        "Connect to the network, or choose a model that is here.",
    ),
    "download_failed": ("Downloading {name} failed: {reason}.", "Try again; what arrived is kept."),
    # room
    "model_too_large": (
        "{model} needs about {needed}, and {free} is free.",
        "Choose a smaller model, dtype bfloat16, or device all.",
    ),
    "not_enough_memory": ("This needs about {needed}, and {free} is free.", "Shorten the text."),
    "out_of_memory": ("Memory ran out on {device}.", "Shorten the text, or choose a smaller model; nothing was lost."),
    # devices
    "unknown_device": ("There is no device {name} here.", "Devices here: {known}."),
    "unknown_dtype": ("{name} is not a number format.", "Choose one of {known}."),
    # views
    "unknown_kind": ("This model has no {kind} attention.", "Choose one of {known}."),
    "no_arcs_between_texts": (
        "Cross attention leads from one text to another, and arcs need one text.",
        "Choose links, or another kind of attention.",
    ),
    "layer_not_kept": ("Layer {layer} was not kept.", "Choose one of {kept}, or run again and keep others."),
    "no_such_head": (
        "There is no layer {layer}, head {head}.",
        "Layers go from 0 to {last_layer}, heads from 0 to {last_head}.",
    ),
    "texts_differ": (
        "The texts have {first} and {second} tokens.",
        "Change one so that both have as many: outputs are pasted position by position.",
    ),
    "no_such_position": ("There is no token {position}.", "Positions of this text go from 0 to {last}."),
    "no_such_text": ("There is no text {text} in this batch.", "Texts of it go from 0 to {last}."),
    "cannot_intervene": (
        "Attention inside a {architecture} cannot be edited: it computes more than attention between its "
        "weights and its outputs.",
        "Choose another model; the attention of this one can still be viewed.",
    ),
    "edit_misfit": (
        "The {what} of the edit does not fit: {given}.",
        "Give finite numbers of the head's shape in this text.",
    ),
    "not_attention": (
        "These are not attention weights: {reason}.",
        "Give arrays (layer, head, query, key) and a token for each row.",
    ),
    "attentions_missing": (
        "The model returned no attention weights.",
        'Load it with attn_implementation="eager" and run it with output_attentions=True; or give the model itself to open_model.',
    ),
    "dropout_active": (
        "Rows of these weights sum to more than 1: dropout was active.",
        "Call model.eval() before the pass.",
    ),
    "not_tokens": (
        "These are not tokens: {reason}.",
        "Give a list of strings or of ids, such as tokenizer.convert_ids_to_tokens(inputs.input_ids[0]).",
    ),
    # looking inside a pass
    "analysis_undefined": ("{analysis} is not defined here: {reason}.", "Choose {instead}."),
    "flow_too_large": (
        "Attention flow of {n_queries} tokens through {n_layers} layers of {n_tokens} tokens would take many minutes.",
        "Shorten the text, or ask for fewer query tokens.",
    ),
    "too_many_to_mask": (
        "Masking each of {n_tokens} tokens in turn would take as many passes of the model.",
        "Shorten the text to {most} tokens.",
    ),
    # files
    "cannot_read": ("{path} cannot be read: {reason}.", "Choose another file."),
    "text_file_too_large": (
        "{path} has {size}, and a text may have {most}.",
        "Choose a shorter file, or use only a part of the text.",
    ),
    "not_a_text_file": ("{path} holds no text.", "Choose a text file, a model's folder or a .gguf file."),
    "no_disk_space": ("The disk is full: {path} was not written.", "Free some space, or choose another place."),
    "cannot_write": ("{path} cannot be written: {reason}.", "Choose another place."),
    "unknown_file_type": ("{path} is not of a file type that can be written.", "End the name with one of {known}."),
    "picture_too_large": (
        "A picture of {width} × {height} pixels cannot be drawn.",
        "Choose fewer dots per inch, or SVG or PDF.",
    ),
    # command line
    "no_display": ("There is no display to open a window on.", "Run on a desktop, or use the commands of headscope --help."),
    "bad_option": ("{option} must be {expected}, not {value}.", "Correct it, and try again."),
    "unexpected": (
        "Something went wrong inside Headscope: {reason}.",
        "Please report this with its details.",
    ),
}


class HeadscopeError(Exception):
    """An error a user can cause or meet, and act on.

    Parameters
    ----------
    code : str
        A key of `MESSAGES`.
    details : str
        Text for the details button (a traceback, a library's own message); may be empty.
    offers : sequence of Offer
        Ways out that the window can take by itself, best first.
    **parameters : object
        Values for the message's placeholders.
    """

    def __init__(self, code: str, *, details: str = "", offers: Sequence[Offer] = (), **parameters: object) -> None:
        self.code = code
        self.parameters = parameters
        self.details = details[:_LONGEST_DETAILS]
        self.offers = tuple(offers)
        super().__init__(str(self))

    @property
    def message(self) -> str:
        """What happened, in one English sentence."""
        return self.fill(MESSAGES[self.code][0])

    @property
    def remedy(self) -> str:
        """What to do about it, in one English sentence."""
        if self.offers:
            return f"What would fit: {'; '.join(map(str, self.offers))}."
        return self.fill(MESSAGES[self.code][1])

    def fill(self, template: str) -> str:
        """A sentence with this error's parameters in it: one line of at most 300 characters, whatever a file or a name holds.

        Control characters and line ends of parameters are replaced, and the longest are cut in their middle.
        """
        values = {name: one_line(value) for name, value in self.parameters.items()}
        while (surplus := len(sentence := template.format(**values)) - LONGEST_SENTENCE) > 0:
            longest = max(values, key=lambda name: len(values[name]))
            shorter = _shortened(values[longest], surplus)
            if shorter == values[longest]:
                break
            values[longest] = shorter
        return sentence

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


def reason_of(error: BaseException) -> str:
    """What a library's error says, as a part of a sentence of ours: one line of at most 160 characters, without a full stop."""
    try:
        text = f"it does not know {error}" if isinstance(error, KeyError) else str(error)  # a KeyError says nothing but the key
    except Exception:  # some cannot even say what they are
        text = ""
    return one_line(text[:_LONGEST_REASON]).rstrip(".") or type(error).__name__


def unexpected(error: BaseException) -> HeadscopeError:
    """What an exception that is nobody's in particular is to the user: a bug of ours, a panic of a library, or no memory left."""
    if isinstance(error, MemoryError):
        return HeadscopeError("out_of_memory", device="cpu")
    try:
        details = "".join(traceback.format_exception(error))
    except Exception:  # as above
        details = ""
    name, reason = type(error).__name__, reason_of(error)
    return HeadscopeError("unexpected", details=details, reason=name if reason == name else f"{name}: {reason}")


def one_line(value: object) -> str:
    """A name or a text as a part of one line: white space as single blanks, control and direction characters as ``�``."""
    try:
        text = " ".join(str(value).split())
    except ValueError:  # an integer of more than 4,300 digits
        return "a very large number"
    return text if text.isprintable() else "".join(each if each.isprintable() else "�" for each in text)


def _shortened(text: str, by: int) -> str:
    """Without its middle, `by` characters shorter, or down to a few."""
    keep = max(_LEAST_OF_A_PARAMETER, len(text) - by) - 1
    return f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}" if keep + 1 < len(text) else text


def readable_bytes(count: int) -> str:
    """`count` bytes as people read it: ``"38 MB"``, ``"1.2 GB"`` (powers of 1024)."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.1f} {unit}" if unit == "GB" else f"{size:.0f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")
