"""Every kind of GGUF file that opens, beside the transformers model it was written from: configuration, parameters, logits, attention."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import transformers as hf

from headscope.core.model import Model
from headscope.core.models.gguf.known_kinds import KINDS
from headscope.core.models.load import load_model
from headscope.core.numerics import longest_sum, same_logits, same_maps
from tests.gguf_files import TOKENS, write_model
from tests.golden.families import Family, built

SIZES: dict[str, Any] = {
    "vocab_size": len(TOKENS) + 3,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": None,
}
WHOLE = {**SIZES, "num_key_value_heads": 4}
BARE = {
    name: SIZES[name]
    for name in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "bos_token_id", "eos_token_id")
}
SHORT = {"vocab_size": SIZES["vocab_size"], "n_layer": 2, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
T5 = {
    "vocab_size": SIZES["vocab_size"],
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 4,
}
T5 |= {"decoder_start_token_id": 0, "relative_attention_num_buckets": 8, "pad_token_id": None, "eos_token_id": 2}
YARN = {"rope_type": "yarn", "rope_theta": 5e4, "factor": 4.0, "original_max_position_embeddings": 16}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LLAMA3 |= {"original_max_position_embeddings": 8192}
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 1e4,
    "partial_rotary_factor": 0.5,
    "long_factor": [1.5, 3.0],
    "short_factor": [1.0, 1.25],
}
GEMMA = {**SIZES, "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 6}
GEMMA_ROPE = {"sliding_attention": {"rope_type": "default", "rope_theta": 1e4}, "full_attention": {"rope_theta": 1e6}}
SCALES = {"embedding_multiplier": 3.0, "residual_multiplier": 0.25, "attention_multiplier": 0.0625, "logits_scaling": 8.0}


@dataclass(frozen=True)
class Case:
    """A model of transformers and the kind of file that it is written to."""

    id: str
    kind: str
    model: str
    config: dict[str, Any]
    changed: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.id


def rotary(**rope: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", **rope}}


CASES = [
    Case("llama", "llama", "LlamaForCausalLM", {**SIZES, **rotary(rope_theta=5e5)}),
    Case("llama, tied", "llama", "LlamaForCausalLM", {**SIZES, "tie_word_embeddings": True, "rms_norm_eps": 1e-5}),
    Case("llama, wide heads", "llama", "LlamaForCausalLM", {**SIZES, "head_dim": 24}),
    Case("llama, biases", "llama", "LlamaForCausalLM", {**SIZES, "attention_bias": True, "mlp_bias": True}),
    Case("llama, linear", "llama", "LlamaForCausalLM", {**SIZES, **rotary(rope_type="linear", rope_theta=1e4, factor=8.0)}),
    Case("llama, yarn", "llama", "LlamaForCausalLM", {**SIZES, "rope_parameters": YARN}),
    Case(
        "llama, yarn, all set",
        "llama",
        "LlamaForCausalLM",
        {**SIZES, "rope_parameters": {**YARN, "beta_fast": 16.0, "beta_slow": 2.0, "attention_factor": 1.25}},
    ),
    Case("llama, llama3", "llama", "LlamaForCausalLM", {**SIZES, "head_dim": 64, "rope_parameters": LLAMA3}),
    Case("mistral", "llama", "MistralForCausalLM", {**SIZES, "sliding_window": None}),
    Case("mixtral", "llama", "MixtralForCausalLM", {**SIZES, **EXPERTS, "head_dim": 8}),
    Case("granite", "granite", "GraniteForCausalLM", {**SIZES, **SCALES}),
    Case("qwen2", "qwen2", "Qwen2ForCausalLM", {**SIZES, **rotary(rope_theta=1e6)}),
    Case("qwen2, yarn", "qwen2", "Qwen2ForCausalLM", {**SIZES, "rope_parameters": YARN}),
    Case(
        "qwen2moe",
        "qwen2moe",
        "Qwen2MoeForCausalLM",
        {
            **SIZES,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 24,
            "shared_expert_intermediate_size": 40,
        },
    ),
    Case("qwen3", "qwen3", "Qwen3ForCausalLM", {**SIZES, "head_dim": 16}),
    Case(
        "qwen3moe",
        "qwen3moe",
        "Qwen3MoeForCausalLM",
        {**SIZES, **EXPERTS, "head_dim": 16, "moe_intermediate_size": 24, "norm_topk_prob": True},
    ),
    Case("gpt-oss", "gpt-oss", "GptOssForCausalLM", {**SIZES, **EXPERTS, "head_dim": 16, "sliding_window": 6}),
    Case(
        "minimax-m2",
        "minimax-m2",
        "MiniMaxM2ForCausalLM",
        {**SIZES, **EXPERTS, "head_dim": 16, **rotary(rope_theta=5e6, partial_rotary_factor=0.5)},
    ),
    Case("gemma", "gemma", "GemmaForCausalLM", {**SIZES, "head_dim": 16}),
    Case("gemma2", "gemma2", "Gemma2ForCausalLM", {**GEMMA, "attn_logit_softcapping": 20.0, "final_logit_softcapping": 15.0}),
    Case("gemma3", "gemma3", "Gemma3ForCausalLM", {**GEMMA, "num_hidden_layers": 7, "rope_parameters": GEMMA_ROPE}),
    Case(
        "gemma3, linear",
        "gemma3",
        "Gemma3ForCausalLM",
        {
            **GEMMA,
            "num_hidden_layers": 6,
            "rope_parameters": {**GEMMA_ROPE, "full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0}},
        },
    ),
    Case("phi3", "phi3", "Phi3ForCausalLM", {**SIZES, "sliding_window": 6}),
    Case(
        "phi3, longrope",
        "phi3",
        "Phi3ForCausalLM",
        {**SIZES, "max_position_embeddings": 64, "original_max_position_embeddings": 8, "rope_parameters": LONGROPE},
    ),
    Case("stablelm", "stablelm", "StableLmForCausalLM", {**WHOLE, "use_qkv_bias": True}),
    Case(
        "stablelm, parallel",
        "stablelm",
        "StableLmForCausalLM",
        {**WHOLE, "use_parallel_residual": True, **rotary(rope_theta=1e4, partial_rotary_factor=0.5)},
    ),
    Case("starcoder2", "starcoder2", "Starcoder2ForCausalLM", SIZES),
    Case("nemotron", "nemotron", "NemotronForCausalLM", {**SIZES, "head_dim": 8}),
    Case("command-r", "command-r", "CohereForCausalLM", {**SIZES, "logit_scale": 0.25}),
    Case("falcon, one key", "falcon", "FalconForCausalLM", BARE),
    Case("falcon, groups", "falcon", "FalconForCausalLM", {**BARE, "new_decoder_architecture": True, "num_kv_heads": 2}),
    Case("bloom", "bloom", "BloomForCausalLM", {**SHORT, "hidden_size": 32}),
    Case("gpt2", "gpt2", "GPT2LMHeadModel", {**SHORT, "n_embd": 32, "n_positions": 64, "n_inner": 48}),
    Case(
        "lfm2",
        "lfm2",
        "Lfm2ForCausalLM",
        {**SIZES, "num_hidden_layers": 3, "layer_types": ["conv", "full_attention", "conv"], "block_auto_adjust_ff_dim": False},
    ),
    Case("t5", "t5", "T5ForConditionalGeneration", {**T5, "feed_forward_proj": "relu"}),
    Case(
        "t5, gated", "t5", "T5ForConditionalGeneration", {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
    ),
    Case("umt5", "t5", "UMT5ForConditionalGeneration", T5),
]


def original(case: Case) -> Any:
    cls = getattr(hf, case.model)
    model = built(Family(case.id, lambda: cls(cls.config_class(**case.config, attn_implementation="eager")), "decoder"))
    if case.config.get("tie_word_embeddings") is False:  # T5's configuration says so, and ties all the same
        model.lm_head.weight = torch.nn.Parameter(
            torch.randn(model.lm_head.weight.shape, generator=torch.Generator().manual_seed(1))
        )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1 and "norm" in name.lower():
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))))
    return model


@pytest.fixture(scope="module")
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Model]:
    case = request.param
    model = original(case)
    path = write_model(tmp_path_factory.mktemp("kind") / "model.gguf", model, case.kind, **case.changed)
    return model, load_model(path, device="cpu", dtype="float32")


each_kind = pytest.mark.parametrize("opened", CASES, ids=str, indirect=True)


def test_each_kind_that_opens_is_written_here() -> None:
    assert {case.kind for case in CASES} == {name.partition(",")[0] for name in KINDS}
    assert {case.model for case in CASES} - {"MistralForCausalLM"} == {kind.model for kind in KINDS.values()}


@each_kind
def test_each_parameter_is_bit_for_bit_that_of_the_model_it_was_written_from(opened: tuple[Any, Model]) -> None:
    model, loaded = opened
    expected, found = model.state_dict(), loaded.module.state_dict()
    assert found.keys() == expected.keys()
    for name, weights in expected.items():
        through = weights + 1 - 1 if name.endswith("norm.weight") or "layernorm.weight" in name else weights
        assert torch.equal(found[name], weights) or torch.equal(found[name], through), name


NO_MEANING = {
    "architectures",
    "_name_or_path",
    "transformers_version",
    "dtype",
    "model_type",
    "initializer_range",
    "id2label",
    "label2id",
}
NO_MEANING |= {
    "attention_dropout",
    "hidden_dropout",
    "resid_pdrop",
    "embd_pdrop",
    "attn_pdrop",
    "residual_dropout",
    "dropout_rate",
}


@each_kind
def test_the_configuration_says_the_same(opened: tuple[Any, Model]) -> None:
    model, loaded = opened
    expected, found = model.config.to_dict(), loaded.module.config.to_dict()
    differing = {
        name: (found.get(name), value)
        for name, value in expected.items()
        if name not in NO_MEANING and found.get(name) != value
    }
    assert differing == {}


@each_kind
def test_logits_and_attention_are_those_of_the_model_it_was_written_from(opened: tuple[Any, Model]) -> None:
    model, loaded = opened
    text = "the cat sat on the mat; it purred, and slept the whole day"
    encoded = loaded.encode(text, None, "a cat" if loaded.info.family == "encoder-decoder" else None)
    source = torch.tensor([[token.id for token in encoded[0].axis.tokens]])
    inputs = {"input_ids": source}
    if encoded[1] is not None:
        inputs["decoder_input_ids"] = torch.tensor([[token.id for token in encoded[1].axis.tokens]])
    with torch.inference_mode():
        theirs = model(**inputs, output_attentions=True)
        config, state = deepcopy(loaded.module.config), loaded.module.state_dict()
        ours = type(loaded.module).from_pretrained(None, config=config, state_dict=state, attn_implementation="eager")
        assert same_logits(ours(**inputs).logits, theirs.logits, torch.float32, longest_sum(model))
    record = loaded.capture(text, target="a cat" if encoded[1] is not None else None)
    for kind, maps in (
        ("decoder", theirs.decoder_attentions if encoded[1] is not None else theirs.attentions),
        ("encoder", getattr(theirs, "encoder_attentions", None)),
        ("cross", getattr(theirs, "cross_attentions", None)),
    ):
        for layer, expected in enumerate(each for each in maps or () if each is not None):
            captured = torch.stack(
                [torch.as_tensor(record.attention_weights(layer, head, kind)) for head in range(expected.shape[1])]
            )
            assert same_maps(captured, expected[0, :, :, : captured.shape[-1]]), (kind, layer)
