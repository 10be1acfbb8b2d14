"""The names that releases of transformers and huggingface_hub move: each is found, and what is missing is noticed and said."""

import inspect
import json

import pytest
import transformers as hf

from headscope.core import load_model, wrap_model
from headscope.core.errors import HeadscopeError
from headscope.core.models.hub import attention, compat
from headscope.core.models.hub import cache as growing
from headscope.core.models.hub.cache import growing_cache
from tests import allowed
from tests.golden.families import FAMILIES, built, inputs_of
from tests.tiny_models import write_decoder, write_encoder_decoder

GENERATING = [family for family in FAMILIES if family.form != "encoder"]


@pytest.mark.parametrize("feature", compat.FEATURES, ids=lambda feature: feature.path)
def test_these_releases_have_every_name(feature: compat.Feature) -> None:
    assert feature.is_here, feature
    assert feature.get() is not None


def test_nothing_is_missing_here() -> None:
    assert compat.missing() == ()


def test_what_is_missing_is_said_once_for_all_that_needs_it() -> None:
    gone = [compat.Feature(f"transformers.nowhere:{name}", "without_packings") for name in ("one", "other")]
    here = compat.Feature("transformers:PreTrainedModel", "without_attention_name")
    assert [str(each) for each in compat.missing((gone[0], here, gone[1]))] == [
        f"transformers {hf.__version__} lacks something that Headscope uses.",
        "Packed checkpoints cannot be opened.",
    ]
    with pytest.raises(HeadscopeError, match="Packed checkpoints cannot be opened") as refusal:
        gone[0].get()
    assert refusal.value.code == "library_unfit"


def gone(monkeypatch: pytest.MonkeyPatch, *features: compat.Feature) -> None:
    """As with a release that has these no more."""
    found = compat.Feature._found
    monkeypatch.setattr(compat.Feature, "_found", lambda self: None if self in features else found(self))


@pytest.mark.parametrize("rule", compat.RULE_PROCESSORS)
def test_a_rule_that_a_release_has_no_more_is_named_and_the_others_are_followed(rule, monkeypatch, tmp_path) -> None:
    settings = {"no_repeat_ngram_size": 2, "min_length": 30, "eos_token_id": 2, "suppress_tokens": [7]} | VALUES.get(rule, {})
    folder = write_decoder(tmp_path / "model")
    (folder / "generation_config.json").write_text(json.dumps(settings))
    whole = load_model(folder).info.generation
    assert rule in {each.name for each in whole.rules}
    assert not whole.unsupported
    gone(monkeypatch, compat.RULE_PROCESSORS[rule])
    model = load_model(folder)
    assert model.info.generation.rules == tuple(each for each in whole.rules if each.name != rule)
    (named,) = model.info.generation.unsupported
    assert named.startswith(f"{rule}: ")
    with pytest.raises(HeadscopeError) as refusal:
        next(iter(model.generate("abc", rules=[each for each in whole.rules if each.name == rule])))
    assert refusal.value.code == "library_unfit"


VALUES = {
    "sequence_bias": {"sequence_bias": [[[7], 1.5]]},
    "encoder_no_repeat_ngram_size": {"encoder_no_repeat_ngram_size": 2},
    "bad_words_ids": {"bad_words_ids": [[7, 8]]},
    "min_new_tokens": {"min_new_tokens": 3, "min_length": None},
    "forced_bos_token_id": {"forced_bos_token_id": 9},
    "forced_eos_token_id": {"forced_eos_token_id": 2},
    "exponential_decay_length_penalty": {"exponential_decay_length_penalty": [3, 1.5]},
    "begin_suppress_tokens": {"begin_suppress_tokens": [8]},
}


@pytest.mark.parametrize("feature", [compat.CACHE_LAYER, compat.CACHE_LAYERS], ids=lambda feature: feature.path)
@pytest.mark.parametrize("write", [write_decoder, write_encoder_decoder])
def test_without_growing_caches_the_same_is_written(write, feature, monkeypatch, tmp_path) -> None:
    model = load_model(write(tmp_path / "model"))
    expected = [step.token.id for step in model.generate("abcdef", max_new_tokens=6)]
    gone(monkeypatch, feature)
    monkeypatch.setattr(growing, "_PlainLayer", compat.cache_layer_class())
    other = load_model(tmp_path / "model")
    assert [step.token.id for step in other.generate("abcdef", max_new_tokens=6)] == expected
    assert (other.cache_argument is None) == (feature is compat.CACHE_LAYERS)


@pytest.mark.parametrize("key", ["missing_keys", "unexpected_keys", "mismatched_keys"])
def test_a_loading_that_is_not_reported_is_refused(key, tmp_path) -> None:
    class Silent(hf.GPT2LMHeadModel):
        @classmethod
        def from_pretrained(cls, *args, **options):
            module, report = super().from_pretrained(*args, **options)
            return module, {name: value for name, value in report.items() if name != key}

    with pytest.raises(HeadscopeError, match="does not report which weights it loaded") as refusal:
        compat.load(Silent, write_decoder(tmp_path / "model"), renames={})
    assert refusal.value.code == "library_unfit"


def test_a_loading_that_takes_no_renames_is_refused(tmp_path) -> None:
    class Strict(hf.GPT2LMHeadModel):
        @classmethod
        def from_pretrained(cls, folder, *, output_loading_info=False):
            return super().from_pretrained(folder, output_loading_info=output_loading_info)

    with pytest.raises(HeadscopeError) as refusal:
        compat.load(Strict, write_decoder(tmp_path / "model"), renames={})
    assert refusal.value.code == "library_unfit"


def test_without_the_fused_mask_attention_is_captured_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "FUSED_MASK", compat.Feature("transformers.masking_utils:of_another_release", "without_masks"))
    family = next(family for family in FAMILIES if family.name == "llama-grouped")
    model = built(family)
    assert attention.install(model) == "own"
    inputs = inputs_of(family, 9)
    eager = attention.eager_attentions(model, inputs)["decoder"]
    ours = attention._recorded(model, "own", inputs)["decoder"]
    for one, other in zip(ours, eager, strict=True):
        assert allowed.difference(one, other[0]) <= allowed.of_weights(other[0])


@pytest.mark.parametrize("write", [write_decoder, write_encoder_decoder])
def test_a_generation_reads_each_token_once(write, tmp_path) -> None:
    """After the prompt, a pass reads one token: what is before it is in the cache."""
    model = load_model(write(tmp_path / "model"))
    stack = model.module.get_decoder() if model.module.config.is_encoder_decoder else model.module
    read = []
    hook = stack.get_input_embeddings().register_forward_hook(lambda _, args, __: read.append(args[0].shape[-1]))
    try:
        n_steps = len(list(model.generate("abcdef", max_new_tokens=6)))
    finally:
        hook.remove()
    assert n_steps == 6
    assert read[-n_steps + 1 :] == [1] * (n_steps - 1)


@pytest.mark.parametrize("family", GENERATING, ids=str)
def test_the_argument_for_a_cache_is_found_by_trying(family) -> None:
    model = built(family)
    model.set_attn_implementation("eager") if compat.takes_functions(model) else None

    def new_cache():
        if model.config.is_encoder_decoder:
            return growing_cache(hf.EncoderDecoderCache(hf.DynamicCache(), hf.DynamicCache()), 0)
        return growing_cache(hf.DynamicCache(config=model.config.get_text_config(decoder=True)), 0)

    known = {"past_key_values", "cache"} & set(inspect.signature(model.forward).parameters)
    found = compat.cache_argument(model, attention.probe(model), new_cache)
    assert {found} - {None} <= known
    if type(model).__name__ in (
        "GPT2LMHeadModel",
        "LlamaForCausalLM",
        "T5ForConditionalGeneration",
        "BartForConditionalGeneration",
    ):
        assert found is not None


class RenamedForCausalLM(hf.GPT2LMHeadModel):
    """A GPT-2 of a release to come, whose cache is called in a third way."""

    def forward(self, input_ids=None, attention_mask=None, kept_pasts=None, use_cache=None, logits_to_keep=0, **kwargs):
        name = ({"past_key_values", "cache"} & set(inspect.signature(hf.GPT2LMHeadModel.forward).parameters)).pop()
        options = {name: kept_pasts, "use_cache": use_cache, "logits_to_keep": logits_to_keep}
        return super().forward(input_ids, attention_mask=attention_mask, **options, **kwargs)


class DeafForCausalLM(hf.GPT2LMHeadModel):
    """A GPT-2 that takes a cache and does not use it."""

    def forward(self, input_ids=None, attention_mask=None, past_key_values=None, use_cache=None, **kwargs):
        return super().forward(input_ids, attention_mask=attention_mask, use_cache=False, **kwargs)


@pytest.mark.parametrize(("kind", "argument"), [(RenamedForCausalLM, "kept_pasts"), (DeafForCausalLM, None)])
def test_a_cache_is_used_if_it_works_whatever_it_is_called(kind, argument, tmp_path) -> None:
    whole = load_model(write_decoder(tmp_path / "model"))
    module = kind(whole.module.config)
    module.load_state_dict(whole.module.state_dict())
    with wrap_model(module.eval(), whole.tokenizer._tokenizer) as model:
        assert model.cache_argument == argument
        expected = [step.token.id for step in whole.generate("abc", max_new_tokens=8)]
        assert [step.token.id for step in model.generate("abc", max_new_tokens=8)] == expected
