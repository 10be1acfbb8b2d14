"""What every error says: by its code, what happened and what to do about it. English, marked for translators."""

from __future__ import annotations

from typing import Final

from headscope.core.messages_of_models import OF_MODELS
from headscope.core.translating import QT_TRANSLATE_NOOP

# Both are format strings over the error's parameters.
MESSAGES: Final[dict[str, tuple[str, str]]] = {
    **OF_MODELS,
    # text
    "empty_text": (QT_TRANSLATE_NOOP("errors", "There is no text."), QT_TRANSLATE_NOOP("errors", "Enter a sentence.")),
    "no_mask": (
        QT_TRANSLATE_NOOP("errors", "The text has no {mask_token}."),
        QT_TRANSLATE_NOOP("errors", "Put {mask_token} where a word should be predicted."),
    ),
    "text_too_long": (
        QT_TRANSLATE_NOOP("errors", "The text is too long for the model's tokenizer. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Shorten the text."),
    ),
    # abilities
    "model_gone": (
        QT_TRANSLATE_NOOP("errors", "The model that generated this text is no longer open."),
        QT_TRANSLATE_NOOP("errors", "Open it again, and generate the text again."),
    ),
    "no_model": (QT_TRANSLATE_NOOP("errors", "No model is open."), QT_TRANSLATE_NOOP("errors", "Open one first.")),
    "cannot_fill_mask": (
        QT_TRANSLATE_NOOP("errors", "{model} does not predict masked words."),
        QT_TRANSLATE_NOOP("errors", "Choose a masked language model, such as toy:grammar or a BERT."),
    ),
    "cannot_classify": (
        QT_TRANSLATE_NOOP("errors", "{reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose a model with such a head."),
    ),
    "answers_by_beams": (
        QT_TRANSLATE_NOOP(
            "errors",
            "{architecture} finds answers by beam search and returns no start and end logits; only its attention can be shown.",
        ),
        QT_TRANSLATE_NOOP(
            "errors", "Choose a question answering model with plain start and end logits, as {architecture}Simple has."
        ),
    ),
    "head_missing": (
        QT_TRANSLATE_NOOP(
            "errors", "{model} was saved without the weights of its prediction head, so it cannot predict anything."
        ),
        QT_TRANSLATE_NOOP(
            "errors",
            "Choose a checkpoint that was trained and saved with the head; the attention of this one can still be viewed.",
        ),
    ),
    "multiple_choice": (
        QT_TRANSLATE_NOOP(
            "errors",
            "{model} chooses among several answers, each in a text of its own; Headscope runs one text at a time.",
        ),
        QT_TRANSLATE_NOOP("errors", "Choose its encoder without that head, or a sequence classifier."),
    ),
    "needs_context": (
        QT_TRANSLATE_NOOP("errors", "{model} looks for the answer in a second text, which is missing."),
        QT_TRANSLATE_NOOP("errors", "Enter the context as the second text; the first text is the question."),
    ),
    "no_such_answer": (
        QT_TRANSLATE_NOOP("errors", "{reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose a token of the second text, from {first} to {last}."),
    ),
    "unknown_label": (
        QT_TRANSLATE_NOOP("errors", "There is no label {label}."),
        QT_TRANSLATE_NOOP("errors", "The labels, by name or number, are {known}."),
    ),
    "cannot_generate": (
        QT_TRANSLATE_NOOP("errors", "{model} cannot generate text."),
        QT_TRANSLATE_NOOP("errors", "Choose a decoder, such as toy:tales or a GPT."),
    ),
    "predicts_nothing": (
        QT_TRANSLATE_NOOP("errors", "{model} has no prediction head; only its attention can be shown."),
        QT_TRANSLATE_NOOP("errors", "Choose a language model, a classifier, a tagger or a question answering model."),
    ),
    "writes_in_its_own_way": (
        QT_TRANSLATE_NOOP("errors", "{model} generates text with special code, which Headscope does not support."),
        QT_TRANSLATE_NOOP("errors", "Choose another decoder, such as toy:tales or a GPT."),
    ),
    "cannot_predict": (
        QT_TRANSLATE_NOOP("errors", "{model} has no head that predicts tokens."),
        QT_TRANSLATE_NOOP("errors", "Choose a masked language model or a decoder."),
    ),
    "cannot_chat": (
        QT_TRANSLATE_NOOP("errors", "{model} has no chat template."),
        QT_TRANSLATE_NOOP("errors", "Generate without it, or choose an instruction-tuned model."),
    ),
    "chat_template_failed": (
        QT_TRANSLATE_NOOP("errors", "The chat template of the model fails. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Generate without it, or without a system prompt."),
    ),
    "cannot_next_sentence": (
        QT_TRANSLATE_NOOP("errors", "{model} has no next-sentence head."),
        QT_TRANSLATE_NOOP("errors", "Choose toy:grammar or a BERT with its pre-training heads."),
    ),
    "record_of_another_model": (
        QT_TRANSLATE_NOOP("errors", "This attention record belongs to another model, not to {model}."),
        QT_TRANSLATE_NOOP("errors", "Run {model} on the text first."),
    ),
    "cannot_probe": (
        QT_TRANSLATE_NOOP("errors", "Heads of {model} cannot be measured on repeated random tokens."),
        QT_TRANSLATE_NOOP("errors", "A probe needs an encoder or a decoder alone, and room for three different tokens twice."),
    ),
    "no_attention": (
        QT_TRANSLATE_NOOP("errors", "{model} has no attention weights to show. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose a model whose layers attend."),
    ),
    "no_difference": (
        QT_TRANSLATE_NOOP(
            "errors", "Two runs can be subtracted only if they have the same number of tokens, in the same units."
        ),
        QT_TRANSLATE_NOOP("errors", "Replace words by others of as many tokens, or show the runs side by side."),
    ),
    "no_scores": (
        QT_TRANSLATE_NOOP("errors", "The scores before the softmax are not known. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose the weights, or tokens as units and a model whose queries and keys are captured."),
    ),
    "no_token_left": (
        QT_TRANSLATE_NOOP("errors", "The generation rules exclude every token; the last of them is {rule}."),
        QT_TRANSLATE_NOOP("errors", "Remove one of the rules."),
    ),
    "no_languages": (
        QT_TRANSLATE_NOOP("errors", "{model} has no language codes."),
        QT_TRANSLATE_NOOP("errors", "Leave out the languages, or choose a multilingual translation model."),
    ),
    "no_source_language": (
        QT_TRANSLATE_NOOP("errors", "{model} does not accept a source language."),
        QT_TRANSLATE_NOOP("errors", "Leave out the source language; the target language can be chosen."),
    ),
    "unknown_language": (
        QT_TRANSLATE_NOOP("errors", "{model} has no language called {language}."),
        QT_TRANSLATE_NOOP("errors", "Some of its languages are {known}."),
    ),
    "no_room": (
        QT_TRANSLATE_NOOP("errors", "The text fills all {max_tokens} positions of {model}."),
        QT_TRANSLATE_NOOP("errors", "Shorten it to leave room for new tokens."),
    ),
    # views
    "unknown_kind": (
        QT_TRANSLATE_NOOP("errors", "This model has no {kind} attention."),
        QT_TRANSLATE_NOOP("errors", "Choose one of {known}."),
    ),
    "no_arcs_between_texts": (
        QT_TRANSLATE_NOOP("errors", "Arcs are drawn over a single text, and cross-attention connects two."),
        QT_TRANSLATE_NOOP("errors", "Choose links, or another kind of attention."),
    ),
    "empty_region": (
        QT_TRANSLATE_NOOP("errors", "The region contains none of the {rows} × {columns} cells."),
        QT_TRANSLATE_NOOP("errors", "Positions count from 0 and must be within the text."),
    ),
    "layer_not_kept": (
        QT_TRANSLATE_NOOP("errors", "The attention of layer {layer} was not kept."),
        QT_TRANSLATE_NOOP("errors", "Choose one of the layers {kept}, or run again and keep this one."),
    ),
    "no_such_head": (
        QT_TRANSLATE_NOOP("errors", "There is no head {head} in layer {layer}."),
        QT_TRANSLATE_NOOP("errors", "Layers go from 0 to {last_layer}, heads from 0 to {last_head}."),
    ),
    "texts_differ": (
        QT_TRANSLATE_NOOP("errors", "The texts have {first} and {second} tokens."),
        QT_TRANSLATE_NOOP("errors", "Make both the same length: outputs are exchanged position by position."),
    ),
    "no_such_position": (
        QT_TRANSLATE_NOOP("errors", "There is no token {position}."),
        QT_TRANSLATE_NOOP("errors", "Positions of this text go from 0 to {last}."),
    ),
    "no_such_text": (
        QT_TRANSLATE_NOOP("errors", "There is no text {text} in this batch."),
        QT_TRANSLATE_NOOP("errors", "Texts of this batch go from 0 to {last}."),
    ),
    "cannot_intervene": (
        QT_TRANSLATE_NOOP(
            "errors",
            "Attention inside a {architecture} cannot be edited: it computes more than attention between its "
            "weights and its outputs.",
        ),
        QT_TRANSLATE_NOOP("errors", "Choose another model; the attention of this one can still be viewed."),
    ),
    "edit_misfit": (
        QT_TRANSLATE_NOOP("errors", "The {what} of the edit does not fit. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Pass finite numbers in the shape that the head has for this text."),
    ),
    "not_attention": (
        QT_TRANSLATE_NOOP("errors", "These are not attention weights. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Pass arrays (layer, head, query, key) and a token for each row."),
    ),
    "attentions_missing": (
        QT_TRANSLATE_NOOP("errors", "The model returned no attention weights."),
        QT_TRANSLATE_NOOP(
            "errors",
            'Load it with attn_implementation="eager" and run it with output_attentions=True, or pass the model itself to open_model.',
        ),
    ),
    "dropout_active": (
        QT_TRANSLATE_NOOP("errors", "Rows of these weights sum to more than 1: dropout was active."),
        QT_TRANSLATE_NOOP("errors", "Call model.eval() before running the model."),
    ),
    "not_tokens": (
        QT_TRANSLATE_NOOP("errors", "These are not tokens. {reason}"),
        QT_TRANSLATE_NOOP(
            "errors", "Pass a list of strings or ids, such as tokenizer.convert_ids_to_tokens(inputs.input_ids[0])."
        ),
    ),
    # looking inside a pass
    "analysis_undefined": (
        QT_TRANSLATE_NOOP("errors", "{analysis} is not defined for this model or attention. {reason}"),
        QT_TRANSLATE_NOOP("errors", "{instead}"),
    ),
    "flow_too_large": (
        QT_TRANSLATE_NOOP(
            "errors",
            "Attention flow of {n_queries} tokens through {n_layers} layers of {n_tokens} tokens would take many minutes.",
        ),
        QT_TRANSLATE_NOOP("errors", "Shorten the text, or ask for fewer query tokens."),
    ),
    "too_many_to_mask": (
        QT_TRANSLATE_NOOP("errors", "Masking {n_tokens} tokens one at a time would take {n_tokens} passes of the model."),
        QT_TRANSLATE_NOOP("errors", "Shorten the text to {most} tokens."),
    ),
    # files
    "cannot_read": (
        QT_TRANSLATE_NOOP("errors", "{path} cannot be read. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose another file."),
    ),
    "text_file_too_large": (
        QT_TRANSLATE_NOOP("errors", "{path} is {size} long; a text may be at most {most} long."),
        QT_TRANSLATE_NOOP("errors", "Choose a shorter file, or use only a part of the text."),
    ),
    "not_a_text_file": (
        QT_TRANSLATE_NOOP("errors", "{path} is not a text file."),
        QT_TRANSLATE_NOOP("errors", "Choose a text file, a model's folder or a .gguf file."),
    ),
    "no_disk_space": (
        QT_TRANSLATE_NOOP("errors", "The disk is full: {path} was not written."),
        QT_TRANSLATE_NOOP("errors", "Free some space, or choose another folder."),
    ),
    "cannot_write": (
        QT_TRANSLATE_NOOP("errors", "{path} cannot be written. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose another folder or name."),
    ),
    "unknown_file_type": (
        QT_TRANSLATE_NOOP("errors", "The file type of {path} cannot be written."),
        QT_TRANSLATE_NOOP("errors", "End the name with one of {known}."),
    ),
    "picture_too_large": (
        QT_TRANSLATE_NOOP("errors", "A picture of {width} × {height} pixels cannot be drawn."),
        QT_TRANSLATE_NOOP("errors", "Choose fewer dots per inch, or SVG or PDF."),
    ),
    # command line
    "no_display": (
        QT_TRANSLATE_NOOP("errors", "There is no display."),
        QT_TRANSLATE_NOOP("errors", "Run on a desktop; headscope predict, generate, capture and export need no display."),
    ),
    "bad_option": (
        QT_TRANSLATE_NOOP("errors", "{option} must be {expected}, not {value}."),
        QT_TRANSLATE_NOOP("errors", "Correct the value, and try again."),
    ),
    "unexpected": (
        QT_TRANSLATE_NOOP("errors", "Something went wrong inside Headscope: {cause}."),
        QT_TRANSLATE_NOOP("errors", "Please report this, with the details."),
    ),
}
