"""Examples say what is to be seen, and it is."""

from dataclasses import replace

import pytest

from headscope.core import load_model
from headscope.core.models.examples import Example, examples_for

LOOKS_AT = {
    "the keys of the cabinet [MASK] rusty .": ("are", "keys"),
    "the farmer that the dogs follow [MASK] tired .": ("is", "farmer"),
    "the dog behind the cats [MASK] in the garden .": ("barks", "dog"),
    "Lucy lost a kite because [MASK] was tired .": ("she", "Lucy"),
    "Tom and Lucy went to the park . Tom gave the kite to [MASK] .": ("Lucy", "Lucy"),
}


@pytest.fixture(scope="module")
def grammar():
    return load_model("toy:grammar", device="cpu")


def with_head(grammar) -> list[Example]:
    return [example for example in examples_for(grammar.info) if example.head is not None]


def test_the_head_of_an_example_looks_from_the_mask_at_the_word_that_decides(grammar) -> None:
    seen = {}
    for example in with_head(grammar):
        if example.pair is None:
            record = grammar.capture(example.text)
            axis = record.axis("encoder").queries
            (mask,) = axis.masks
            row = record.attention_weights(*example.head)[mask]
            assert row.max() > 0.9, example.text
            guess = grammar.fill_mask(example.text, top_k=1)[0].candidates[0]
            seen[example.text] = (guess.label, axis.labels[row.argmax()])
    assert seen == LOOKS_AT


def test_the_head_of_a_pair_looks_from_one_object_at_the_other(grammar) -> None:
    pairs = [example for example in with_head(grammar) if example.pair is not None]
    assert len(pairs) == 2
    for example in pairs:
        record = grammar.capture(example.text, example.pair)
        labels = record.axis("encoder").queries.labels
        first = labels.index("kite")
        second = labels.index("kite" if "kite" in example.pair else "boat", first + 1)
        assert record.attention_weights(*example.head)[second, first] > 0.9
        follows = grammar.next_sentence(example.text, example.pair)
        assert follows > 0.99 if "kite" in example.pair else follows < 0.01


@pytest.mark.parametrize("source", ["toy:grammar", "toy:tales"])
def test_every_example_of_a_toy_is_of_words_that_it_knows(source: str) -> None:
    model = load_model(source, device="cpu")
    examples = examples_for(model.info)
    for example in examples:
        axis = model.run(example.text, example.pair).record.axis(next(iter(model.info.layers))).queries
        assert len(axis) > 1
        assert not [token.text for token in axis.tokens if token.unknown], example.text


def test_every_other_model_is_offered_the_tutorials_sentences(grammar) -> None:
    texts = {example.text for example in examples_for(replace(grammar.info, name="a model", source=""))}
    assert {"Once upon a time", "This is an example sentence.", "I love to eat pizza"} <= texts
    assert "人工智能是一种能够使计算机理解、生成和处理人类语言的技术。" in texts


@pytest.mark.parametrize("ability", ["answer", "tag", "classify"])
def test_a_model_with_another_head_opens_with_what_its_head_reads(grammar, ability: str) -> None:
    first, *_ = examples_for(replace(grammar.info, name="a model", source="", abilities=frozenset({ability})))
    assert "[MASK]" not in first.text
    assert (first.pair is not None) == (ability == "answer")
