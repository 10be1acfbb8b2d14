"""Methods that explain a prediction: from an attention record alone, from inside a pass, or by changing the pass."""

from typing import TYPE_CHECKING

from headscope.core.lazy import names_from

if TYPE_CHECKING:
    from headscope.core.analyse.attribution.direct_logit import direct_logit_attribution
    from headscope.core.analyse.attribution.gradient_attention import gradient_attention
    from headscope.core.analyse.attribution.integrated_gradients import integrated_gradients
    from headscope.core.analyse.attribution.token_attribution import token_attribution
    from headscope.core.analyse.attribution.value_weighted import value_weighted_attention
    from headscope.core.analyse.causal.effects import changes, effects
    from headscope.core.analyse.causal.head_outputs import head_outputs, mean_outputs
    from headscope.core.analyse.causal.sweeps import Question, ablate_heads, cut_edges, forbid_keys, patch
    from headscope.core.analyse.probing import head_probe
    from headscope.core.analyse.records.flow import attention_flow
    from headscope.core.analyse.records.head_metrics import head_metrics
    from headscope.core.analyse.records.rollout import attention_rollout

__all__ = [
    "Question",
    "ablate_heads",
    "attention_flow",
    "attention_rollout",
    "changes",
    "cut_edges",
    "direct_logit_attribution",
    "effects",
    "forbid_keys",
    "gradient_attention",
    "head_metrics",
    "head_outputs",
    "head_probe",
    "integrated_gradients",
    "mean_outputs",
    "patch",
    "token_attribution",
    "value_weighted_attention",
]

__getattr__ = names_from(
    __name__,
    {
        "Question": "headscope.core.analyse.causal.sweeps",
        "ablate_heads": "headscope.core.analyse.causal.sweeps",
        "attention_flow": "headscope.core.analyse.records.flow",
        "attention_rollout": "headscope.core.analyse.records.rollout",
        "changes": "headscope.core.analyse.causal.effects",
        "cut_edges": "headscope.core.analyse.causal.sweeps",
        "direct_logit_attribution": "headscope.core.analyse.attribution.direct_logit",
        "effects": "headscope.core.analyse.causal.effects",
        "forbid_keys": "headscope.core.analyse.causal.sweeps",
        "gradient_attention": "headscope.core.analyse.attribution.gradient_attention",
        "head_metrics": "headscope.core.analyse.records.head_metrics",
        "head_outputs": "headscope.core.analyse.causal.head_outputs",
        "head_probe": "headscope.core.analyse.probing",
        "integrated_gradients": "headscope.core.analyse.attribution.integrated_gradients",
        "mean_outputs": "headscope.core.analyse.causal.head_outputs",
        "patch": "headscope.core.analyse.causal.sweeps",
        "token_attribution": "headscope.core.analyse.attribution.token_attribution",
        "value_weighted_attention": "headscope.core.analyse.attribution.value_weighted",
    },
)
