"""What config.json says beside the model's sizes: kept, left out, followed or refused, and never a reason to hang."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import transformers as hf

from headscope.core.engine.engine import Engine
from headscope.core.models.load import load_model
from tests.spoiled import edit_config, refused
from tests.tiny_models import write_encoder_decoder

pytestmark = pytest.mark.usefixtures("alone")

SMALL = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture
def copied(originals: Path, tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: Path(shutil.copytree(originals / name, tmp_path / name))


def with_tokenizer_of(bert: Path, module: hf.PreTrainedModel) -> Path:
    """The folder of another model that reads the same ids."""
    module.save_pretrained(bert)
    return bert


# ---------------------------------------------------------------- what is not followed
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"position_embedding_type": "alibi"}, "alibi"),
        ({"alibi": True}, "alibi"),
        ({"use_alibi": True}, "use_alibi"),
        ({"position_embedding_type": "relative_key"}, "relative_key"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_settings_that_change_scores_and_are_not_followed_are_refused(
    engine: Engine, copied: Callable[[str], Path], name: str, settings: dict[str, object], named: str
) -> None:
    error = refused(engine, edit_config(copied(name), **settings))
    assert error.code == "config_invalid"
    assert named in error.message


@pytest.mark.parametrize(
    "settings",
    [
        {"attn_logit_softcapping": 30.0},
        {"rope_scaling": {"rope_type": "linear", "factor": 2.0}},
        {"qk_norm": True},
        {"embedding_multiplier": 12.0},
        {"logit_scale": 0.0625},
        {"scale_depth": 1.4},
        {"clip_qkv": 8.0},
        {"parallel_attn": True},
    ],
    ids=str,
)
def test_settings_about_attention_that_nothing_reads_are_said(bert: Path, settings: dict[str, object]) -> None:
    assert next(iter(settings)) in load_model(edit_config(bert, **settings), device="cpu").info.note


@pytest.mark.parametrize(
    "settings",
    [
        {"position_embedding_type": "absolute"},
        {"use_flash_attn": True},
        {"attention_dropout": 0.1},
        {"rope_scaling": None},
        {"alibi": False},
        {"residual_multiplier": 1.0, "logits_scaling": 1, "clip_qkv": None},
        {"pretraining_tp": 1, "summary_type": "first", "gradient_checkpointing": True},
    ],
    ids=str,
)
def test_settings_that_change_nothing_are_not_spoken_of(bert: Path, settings: dict[str, object]) -> None:
    assert load_model(edit_config(bert, **settings), device="cpu").info.note == ""


# ---------------------------------------------------------------- code of its own
@pytest.mark.parametrize(
    "changes",
    [
        {"architectures": ["JinaBertForMaskedLM"], "auto_map": {"AutoModelForMaskedLM": "modeling_bert.JinaBertForMaskedLM"}},
        {"auto_map": {"AutoConfig": "jinaai/x--configuration_bert.JinaBertConfig"}},
        {"architectures": ..., "auto_map": {"AutoModel": "modeling_bert.OtherBertModel"}},
    ],
    ids=["class", "configuration", "no class"],
)
def test_a_known_type_with_code_of_its_own_needs_that_code(engine: Engine, bert: Path, changes: dict[str, object]) -> None:
    assert refused(engine, edit_config(bert, **changes)).code == "needs_remote_code"


def test_a_class_of_transformers_that_also_has_code_beside_it_opens(bert: Path) -> None:
    """As Falcon, Phi-3 or DeepSeek: the code beside it is what became transformers' own."""
    mapped = {"AutoConfig": "configuration_bert.BertConfig", "AutoModelForMaskedLM": "modeling_bert.BertForMaskedLM"}
    assert load_model(edit_config(bert, auto_map=mapped), device="cpu").info.architecture == "BertForMaskedLM"


# ---------------------------------------------------------------- settings of the run that saved it
def save_qwen3(bert: Path, **settings: object) -> Path:
    config = hf.Qwen3Config(**SMALL, head_dim=16, num_key_value_heads=2, eos_token_id=3)
    return edit_config(with_tokenizer_of(bert, hf.Qwen3ForCausalLM(config)), **settings)


IMPLEMENTATIONS = [
    "flash_attention_2",
    "flash_attention_3",
    "kernels-community/flash-attn2",
    "flex_attention",
    "paged|sdpa",
    "x",
]


@pytest.mark.parametrize(
    ("key", "implementation"),
    [
        *(("attn_implementation", each) for each in (*IMPLEMENTATIONS, {"": "flash_attention_2"}, 3)),
        ("_attn_implementation", "flash_attention_2"),
        ("_attn_implementation_internal", "flash_attention_2"),
        ("experts_implementation", "grouped_mm"),
    ],
    ids=str,
)
def test_how_attention_was_computed_elsewhere_keeps_nothing_from_opening(bert: Path, key: str, implementation: object) -> None:
    model = load_model(save_qwen3(bert, **{key: implementation}), device="cpu")
    assert model.capture("the cat sat").n_layers("decoder") == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"return_dict": False},
        {"use_return_dict": False},
        {"output_attentions": True},
        {"output_hidden_states": True},
        {"torchscript": True},
        {"transformers_weights": "other.safetensors"},
        {"fusion_config": {"rms_norm": True}},
        {"max_window_layers": 28},
        {"dtype": "float16"},
    ],
    ids=str,
)
def test_settings_of_a_run_keep_nothing_from_opening(bert: Path, settings: dict[str, object]) -> None:
    model = load_model(save_qwen3(bert, **settings), device="cpu", dtype="float32")
    assert model.info.layers == {"decoder": (2, 2)}
    assert model.run("the cat sat").predictions
    assert next(iter(model.generate("the cat", max_new_tokens=1))).token


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS[:3])
def test_how_attention_was_computed_in_a_part_keeps_nothing_from_opening(bert: Path, implementation: str) -> None:
    text = hf.Gemma3TextConfig(**SMALL, head_dim=16, num_key_value_heads=2, sliding_window=8)
    vision = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 28}
    ids = {"image_token_index": 90, "boi_token_index": 91, "eoi_token_index": 92, "mm_tokens_per_image": 1}
    config = hf.Gemma3Config(text_config=text, vision_config={**vision, "patch_size": 14}, **ids)
    with_tokenizer_of(bert, hf.Gemma3ForConditionalGeneration(config))
    inside = json.loads((bert / "config.json").read_text())["text_config"]
    edit_config(bert, text_config={**inside, "_attn_implementation": implementation})
    assert load_model(bert, device="cpu").capture("the cat sat").n_layers("decoder") == 2


# ---------------------------------------------------------------- counts that no such weights can have
def small(config: type, **sizes: object) -> object:
    return config(**{**SMALL, **sizes})


COUNTS = {
    "albert groups": (lambda: hf.AlbertModel(small(hf.AlbertConfig, embedding_size=16)), "inner_group_num"),
    "albert layers": (lambda: hf.AlbertModel(small(hf.AlbertConfig, embedding_size=16)), "num_hidden_layers"),
    "mobilebert": (
        lambda: hf.MobileBertModel(
            small(hf.MobileBertConfig, embedding_size=32, true_hidden_size=32, intra_bottleneck_size=32)
        ),
        "num_feedforward_networks",
    ),
    "canine": (lambda: hf.CanineModel(small(hf.CanineConfig, num_hash_buckets=64)), "num_hash_functions"),
    "funnel": (
        lambda: hf.FunnelModel(hf.FunnelConfig(vocab_size=99, block_sizes=[1, 1], d_model=32, n_head=2, d_head=16, d_inner=32)),
        "block_sizes",
    ),
    "gpt_neo": (
        lambda: hf.GPTNeoModel(
            hf.GPTNeoConfig(
                vocab_size=99, hidden_size=32, num_layers=2, num_heads=2, attention_types=[[["global", "local"], 1]]
            )
        ),
        "attention_types",
    ),
    "labels": (lambda: hf.BertForSequenceClassification(small(hf.BertConfig)), "num_labels"),
    "experts": (lambda: hf.MixtralModel(small(hf.MixtralConfig, num_local_experts=2)), "num_local_experts"),
    "xlm": (
        lambda: hf.XLMModel(hf.XLMConfig(vocab_size=99, emb_dim=32, n_layers=2, n_heads=2, sinusoidal_embeddings=True)),
        "max_position_embeddings",
    ),
    "heads": (lambda: hf.LlamaModel(small(hf.LlamaConfig)), "num_attention_heads"),
    "head_dim": (lambda: hf.LlamaModel(small(hf.LlamaConfig)), "head_dim"),
}

POSSIBLE = [("gpt_neo", 60_000)]
"""Of its kinds of attention, GPT-Neo takes as many as it has layers."""


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((kind, number) for kind in COUNTS for number in (2**31, 60_000)),
        *(("funnel", it) for it in (2**50, {"a": 1}, -1, "x")),
        *(("head_dim", it) for it in ({"a": 1}, [3], "x", -1)),
        *(("albert layers", it) for it in ({"a": 1}, -1)),
    ],
    ids=str,
)
def test_a_count_that_its_weights_cannot_have_is_refused_at_once(engine: Engine, bert: Path, kind: str, number: object) -> None:
    build, key = COUNTS[kind]
    with_tokenizer_of(bert, build())
    spoiled = {"block_sizes": [1, number], "attention_types": [[["global", "local"], number]]}.get(key, number)
    if kind == "labels":
        edit_config(bert, id2label=..., label2id=...)
    edit_config(bert, **{key: spoiled})
    if (kind, number) in POSSIBLE:
        assert load_model(bert, device="cpu").info.n_parameters > 0
    else:
        assert refused(engine, bert).code not in ("unexpected", "out_of_memory")


@pytest.mark.parametrize("key", ["pad_token_id", "decoder_start_token_id", "eos_token_id"])
@pytest.mark.parametrize("number", [2**64, 2**31, -(2**63), 1e300], ids=ascii)
def test_an_id_that_no_vocabulary_has_is_refused(engine: Engine, tmp_path: Path, key: str, number: float) -> None:
    """Found by make fuzz: T5's own shift of a target put it into a tensor."""
    folder = write_encoder_decoder(tmp_path / "t5")
    edit_config(folder, **{key: number})
    error = refused(engine, folder)
    assert error.code == "config_invalid"
    assert key in error.message


@pytest.mark.parametrize("number", [2**31, 60_000], ids=str)
def test_a_count_of_a_part_is_refused_as_well(engine: Engine, bert: Path, number: object) -> None:
    text = {**SMALL, "bos_token_id": 1, "eos_token_id": 2}
    vision = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "image_size": 28}
    config = hf.LlavaConfig(text_config=hf.LlamaConfig(**text), vision_config=hf.CLIPVisionConfig(**vision, patch_size=14))
    with_tokenizer_of(bert, hf.LlavaForConditionalGeneration(config))
    inside = json.loads((bert / "config.json").read_text())["text_config"]
    error = refused(engine, edit_config(bert, text_config={**inside, "num_hidden_layers": number}))
    assert error.code in ("config_invalid", "checkpoint_damaged")
