"""Sentences worth looking at, for the model at hand. The first one is what a model shows when it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from headscope.core.forward.model_info import ModelInfo
from headscope.core.translating import QT_TRANSLATE_NOOP
from headscope.core.vocabulary import Ability, Head


@dataclass(frozen=True, slots=True)
class Example:
    """A text to run. `note` says what to look for; `pair` is a second sentence, `target` a decoder's text, `head` the one to see."""

    text: str
    note: str
    pair: str | None = None
    target: str | None = None
    head: Head | None = None


_GRAMMAR = (
    Example(
        "the keys of the cabinet [MASK] rusty .",
        QT_TRANSLATE_NOOP("examples", "The verb agrees with keys, though cabinet is nearer."),
        head=(1, 3),
    ),
    Example(
        "the farmer that the dogs follow [MASK] tired .",
        QT_TRANSLATE_NOOP("examples", "One farmer, many dogs: which of them decides?"),
        head=(1, 3),
    ),
    Example(
        "the dog behind the cats [MASK] in the garden .",
        QT_TRANSLATE_NOOP("examples", "Each noun has its own verb: dogs bark, cats purr."),
        head=(1, 3),
    ),
    Example(
        "Lucy lost a kite because [MASK] was tired .",
        QT_TRANSLATE_NOOP("examples", "The pronoun follows its name."),
        head=(1, 3),
    ),
    Example(
        "Tom and Lucy went to the park . Tom gave the kite to [MASK] .",
        QT_TRANSLATE_NOOP("examples", "Tom gives; who receives?"),
        head=(1, 2),
    ),
    Example(
        "Tom lost the red kite .",
        QT_TRANSLATE_NOOP("examples", "The second sentence follows: the kite comes back."),
        pair="he looked for the kite in the garden .",
        head=(0, 1),
    ),
    Example(
        "Tom lost the red kite .",
        QT_TRANSLATE_NOOP("examples", "The second sentence does not follow."),
        pair="the boat was clean and new .",
        head=(0, 1),
    ),
)
_TALES = (
    Example(
        "once upon a time",
        QT_TRANSLATE_NOOP("examples", "Press Generate: names and objects recur, and this head attends to the names."),
        head=(2, 2),
    ),
    Example(
        "once upon a time a brave mouse named Mia lived in a castle .",
        QT_TRANSLATE_NOOP("examples", "Press Generate: which tokens attend to Mia?"),
        head=(2, 2),
    ),
    Example(
        "long ago there was a king named Tom , who was very lonely . he had a golden ring",
        QT_TRANSLATE_NOOP("examples", "Press Generate: this head attends to the ring."),
        head=(2, 0),
    ),
)
_MASKED = (
    Example(
        "The keys near the old cabinet [MASK] rusty.",
        QT_TRANSLATE_NOOP("examples", "The verb agrees with keys, though cabinet is nearer."),
    ),
    Example("The capital of France is [MASK].", QT_TRANSLATE_NOOP("examples", "Which tokens does the mask attend to?")),
    Example(
        "The doctor asked the nurse a question because [MASK] was curious.",
        QT_TRANSLATE_NOOP("examples", "Whom does the pronoun refer to?"),
    ),
    Example("I love to eat [MASK].", QT_TRANSLATE_NOOP("examples", "Many words fit; the probabilities rank them.")),
    Example(
        "人工智能是一种能够使计算机理解、生成和处理人类[MASK]的技术。",
        QT_TRANSLATE_NOOP("examples", "Chinese, character by character, if the model knows it."),
    ),
)
_DECODER = (
    Example("The capital of France is", QT_TRANSLATE_NOOP("examples", "Predictions shows the next token; Generate continues.")),
    Example("Once upon a time", QT_TRANSLATE_NOOP("examples", "Press Generate and watch the heatmap grow a row per token.")),
    Example(
        "When Mary and John went to the store, John gave a drink to",
        QT_TRANSLATE_NOOP("examples", "Who is named next? Some heads attend to Mary."),
    ),
    Example(
        "one two three four one two three",
        QT_TRANSLATE_NOOP("examples", "Repetition: induction heads attend to what followed last time."),
    ),
)
_TRANSLATION = (
    Example(
        "translate English to German: The house is wonderful.",
        QT_TRANSLATE_NOOP("examples", "Cross-attention: which word translates which?"),
        target="Das Haus ist",
    ),
    Example("The cat that the dogs chased was tired.", QT_TRANSLATE_NOOP("examples", "The encoder reads in both directions.")),
)
_REACTIONS = (
    Example(
        "CC(C)S.CN(C)C=O.Fc1cccnc1F.O=C([O-])[O-].[K+].[K+]>>CC(C)Sc1ncccc1F",
        QT_TRANSLATE_NOOP(
            "examples", "Layer 10, head 5: atoms of the product attend to the atoms they came from (Schwaller et al. 2021)."
        ),
    ),
    Example("O=C(Cl)c1ccccc1.NCC>>O=C(NCC)c1cccc[MASK]1", QT_TRANSLATE_NOOP("examples", "A hidden atom of the product.")),
    Example("CC(=O)O.OCC>>CC(=O)[MASK]CC", QT_TRANSLATE_NOOP("examples", "An ester: which atom joins the two halves?")),
)
_BY_HEAD: Final[dict[Ability, tuple[Example, ...]]] = {
    "answer": (
        Example(
            "Who wrote the letter?",
            QT_TRANSLATE_NOOP("examples", "The answer is in the second text: what do the question's words attend to there?"),
            pair="Anna bought paper in the town. In the evening her brother Karl wrote a letter and read it to her.",
        ),
        Example(
            "Where did Karl live?",
            QT_TRANSLATE_NOOP("examples", 'A question that the text does not answer: is "no answer" on top?'),
            pair="Anna bought paper in the town. In the evening her brother Karl wrote a letter and read it to her.",
        ),
    ),
    "tag": (
        Example(
            "Angela Merkel visited the Louvre in Paris with Bob.",
            QT_TRANSLATE_NOOP("examples", "Names: which words does each tag depend on?"),
        ),
    ),
    "classify": (
        Example(
            "I expected little, and was surprised how good this film is.",
            QT_TRANSLATE_NOOP("examples", "Click a word to hide it: does the class change?"),
        ),
        Example(
            "A man plays the guitar.",
            QT_TRANSLATE_NOOP("examples", "A pair: does the second sentence follow from the first?"),
            pair="A man makes music.",
        ),
    ),
}
_TUTORIAL = (
    Example("This is an example sentence.", QT_TRANSLATE_NOOP("examples", "A short sentence, for a first look at every head.")),
    Example("I love to eat pizza", QT_TRANSLATE_NOOP("examples", "Four words.")),
    Example("Once upon a time", QT_TRANSLATE_NOOP("examples", "The beginning of every tale.")),
    Example(
        "人工智能是一种能够使计算机理解、生成和处理人类语言的技术。",
        QT_TRANSLATE_NOOP("examples", "A Chinese sentence; words that a model does not know are marked."),
    ),
)


def examples_for(info: ModelInfo) -> tuple[Example, ...]:
    """Examples for a model, best first; the tutorials' sentences come last, for every model but the toys, which cannot read them."""
    if "rxn" in info.source.lower():
        return _REACTIONS
    if info.name == "toy:grammar":
        return _GRAMMAR
    if info.name == "toy:tales":
        return _TALES
    for ability, examples in _BY_HEAD.items():
        if ability in info.abilities:
            return (*examples, *_TUTORIAL)
    if info.family == "encoder-decoder":
        return (*_TRANSLATION, *_TUTORIAL)
    if info.family == "decoder":
        return (*_DECODER, *_TUTORIAL)
    if "fill_mask" not in info.abilities:
        return _TUTORIAL
    masks = tuple(Example(example.text.replace("[MASK]", info.mask_token or "[MASK]"), example.note) for example in _MASKED)
    pair = (
        Example(
            "The man went to the store.",
            QT_TRANSLATE_NOOP("examples", "Does the second sentence follow?"),
            pair="He bought a gallon of milk.",
        ),
    )
    return (*masks, *(pair if "next_sentence" in info.abilities else ()), *_TUTORIAL)
