"""What errors say when models are found, read and placed: English, marked for translators."""

from __future__ import annotations

from typing import Final

from headscope.core.translating import QT_TRANSLATE_NOOP

OF_MODELS: Final[dict[str, tuple[str, str]]] = {
    # finding and reading a model
    "no_name": (
        QT_TRANSLATE_NOOP("errors", "The model name is empty."),
        QT_TRANSLATE_NOOP("errors", "Enter a folder, a .gguf file, or a name such as toy:grammar."),
    ),
    "unknown_toy": (
        QT_TRANSLATE_NOOP("errors", "There is no toy called {name}."),
        QT_TRANSLATE_NOOP("errors", "Choose one of {known}."),
    ),
    "model_not_found": (
        QT_TRANSLATE_NOOP("errors", "No model is called {name}."),
        QT_TRANSLATE_NOOP("errors", "Check the spelling, or choose a folder or a .gguf file."),
    ),
    "revision_not_found": (
        QT_TRANSLATE_NOOP("errors", "{name} has no revision {revision}."),
        QT_TRANSLATE_NOOP("errors", "Name one of its branches, tags or commits, or none."),
    ),
    "model_gated": (
        QT_TRANSLATE_NOOP("errors", "Access to {name} is restricted by its owners."),
        QT_TRANSLATE_NOOP("errors", "Request access on its hub page, log in with 'hf auth login', and try again."),
    ),
    "path_not_found": (QT_TRANSLATE_NOOP("errors", "{path} does not exist."), QT_TRANSLATE_NOOP("errors", "Check the path.")),
    "folder_without_model": (
        QT_TRANSLATE_NOOP("errors", "{path} does not contain a model: {missing} is missing."),
        QT_TRANSLATE_NOOP("errors", "Choose a folder with config.json and weights."),
    ),
    "weights_unsupported": (
        QT_TRANSLATE_NOOP("errors", "{path} cannot be opened. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Save the model with transformers' save_pretrained, and open that folder."),
    ),
    "several_models": (
        QT_TRANSLATE_NOOP("errors", "{path} contains several models: {names}."),
        QT_TRANSLATE_NOOP("errors", "Open one of these folders."),
    ),
    "wrap_inside": (
        QT_TRANSLATE_NOOP("errors", "{kind} is not itself a transformers model, but contains one."),
        QT_TRANSLATE_NOOP("errors", "{instead}"),
    ),
    "adapter_unsupported": (
        QT_TRANSLATE_NOOP("errors", "{model} is a {kind} adapter, which does more than change the model's weights."),
        QT_TRANSLATE_NOOP("errors", "Choose a LoRA or another adapter that can be merged."),
    ),
    "adapter_misfit": (
        QT_TRANSLATE_NOOP("errors", "The adapter {path} does not fit {base}. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose the model that it was trained with."),
    ),
    "no_tokenizer": (
        QT_TRANSLATE_NOOP("errors", "{path} does not contain a readable tokenizer."),
        QT_TRANSLATE_NOOP("errors", "Put the model's tokenizer files in the same folder as its weights."),
    ),
    "tokenizer_broken": (
        QT_TRANSLATE_NOOP("errors", "The tokenizer of {path} cannot be used. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Copy the model's tokenizer files again, or choose another model."),
    ),
    "text_not_split": (
        QT_TRANSLATE_NOOP("errors", "The model's tokenizer cannot split this text. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Shorten the text, or choose another model."),
    ),
    "tokenizer_unfit": (
        QT_TRANSLATE_NOOP("errors", "{model} has no embedding for the token {token}: its tokenizer belongs to another model."),
        QT_TRANSLATE_NOOP("errors", "Put the model's own tokenizer files in the same folder as its weights."),
    ),
    "not_one_token": (
        QT_TRANSLATE_NOOP("errors", "The word “{token}” is not one token of {model}. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Enter a single token; in many models a word's token includes the space before it."),
    ),
    "no_end_token": (
        QT_TRANSLATE_NOOP("errors", "{model} predicts the class at the last end token, {token}, and the text has none."),
        QT_TRANSLATE_NOOP(
            "errors",
            "Give ids that end with {id}, or the text itself; if that fails, put the model's own tokenizer files beside its weights.",
        ),
    ),
    "no_such_id": (
        QT_TRANSLATE_NOOP("errors", "There is no token with the id {id}."),
        QT_TRANSLATE_NOOP("errors", "Ids of this vocabulary go from 0 to {last}."),
    ),
    "checkpoint_damaged": (
        QT_TRANSLATE_NOOP("errors", "{path} is damaged or was cut short. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Download or copy the file again."),
    ),
    "weights_left_out": (
        QT_TRANSLATE_NOOP(
            "errors",
            "{n} weights of {model} would be ignored by transformers' {architecture}, for example {weight}.",
        ),
        QT_TRANSLATE_NOOP("errors", "Choose a model that this version of transformers supports fully."),
    ),
    "checkpoint_unsafe": (
        QT_TRANSLATE_NOOP("errors", "{path} was refused. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Save the model as safetensors (model.save_pretrained), and open that folder."),
    ),
    "gguf_unsupported": (
        QT_TRANSLATE_NOOP("errors", "{path} cannot be opened. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose another file, or the folder of the model in safetensors format."),
    ),
    "architecture_unsupported": (
        QT_TRANSLATE_NOOP("errors", "{model} is of the type {architecture}, which Headscope cannot open."),
        QT_TRANSLATE_NOOP("errors", "Choose a text model."),
    ),
    "config_invalid": (
        QT_TRANSLATE_NOOP("errors", "The configuration of {model} cannot be used. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Choose another model."),
    ),
    "not_a_number": (
        QT_TRANSLATE_NOOP("errors", "{model} produces NaN or infinite values in {dtype}."),
        QT_TRANSLATE_NOOP("errors", "Choose float32 as the number format, or another model if it is float32 already."),
    ),
    "needs_library": (
        QT_TRANSLATE_NOOP("errors", "The library {library} is not installed. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Install it, or choose another model or number format."),
    ),
    "library_unfit": (
        QT_TRANSLATE_NOOP("errors", "{library} is not supported. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Install one of the releases that Headscope's README lists as tested."),
    ),
    "needs_remote_code": (
        QT_TRANSLATE_NOOP("errors", "{model} runs only with its own Python code, and Headscope never runs code from a model."),
        QT_TRANSLATE_NOOP("errors", "Choose a model that transformers supports without extra code."),
    ),
    "offline": (
        QT_TRANSLATE_NOOP("errors", "{name} is not on this computer, and the hub cannot be reached."),
        QT_TRANSLATE_NOOP("errors", "Connect to the network, or choose a model on this computer."),
    ),
    "download_failed": (
        QT_TRANSLATE_NOOP("errors", "Downloading {name} failed. {reason}"),
        QT_TRANSLATE_NOOP("errors", "Try again; the download continues where it stopped."),
    ),
    # room
    "model_too_large": (
        QT_TRANSLATE_NOOP("errors", "{model} needs about {needed}, but only {free} is free."),
        QT_TRANSLATE_NOOP("errors", "Choose a smaller model, the number format bfloat16, or the device all."),
    ),
    "not_enough_memory": (
        QT_TRANSLATE_NOOP("errors", "This needs about {needed}, but only {free} is free."),
        QT_TRANSLATE_NOOP("errors", "Shorten the text."),
    ),
    "out_of_memory": (
        QT_TRANSLATE_NOOP("errors", "The device {device} is out of memory."),
        QT_TRANSLATE_NOOP("errors", "Shorten the text, or choose a smaller model; your work is not affected."),
    ),
    # devices
    "unknown_device": (
        QT_TRANSLATE_NOOP("errors", "This computer has no device called {name}."),
        QT_TRANSLATE_NOOP("errors", "Choose one of {known}."),
    ),
    "unknown_dtype": (
        QT_TRANSLATE_NOOP("errors", "{name} is not a number format."),
        QT_TRANSLATE_NOOP("errors", "Choose one of {known}."),
    ),
}
