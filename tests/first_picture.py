"""python -m tests.first_picture: write the picture that is shown before any model is there, resources/first_picture."""

from __future__ import annotations

from headscope.core import load_model
from headscope.core.files.atomic import atomic_write
from headscope.core.models.examples import examples_for
from headscope.core.text.prompt import Prompt
from headscope.gui.app.application import FIRST_MODEL
from headscope.gui.session.kept_picture import KeptPicture
from headscope.resources import first_picture_file


def computed() -> KeptPicture:
    """The first example of the first toy, as it is computed here."""
    model = load_model(FIRST_MODEL)
    example = examples_for(model.info)[0]
    assert example.head is not None
    record = model.capture(example.text)
    kind = record.kinds[0]
    axis = record.axis(kind)
    weights = record.attention_weights(*example.head, kind)
    prompt = Prompt(example.text, example.pair or "", example.target or "")
    return KeptPicture(FIRST_MODEL, prompt, kind, example.head, axis.queries, axis.keys, weights)


if __name__ == "__main__":
    with atomic_write(first_picture_file()) as path:
        path.write_bytes(computed().to_bytes())
    print(f"written: {first_picture_file()}")
