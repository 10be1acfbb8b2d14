"""SmolLM2's heads on a probe, beside plain transformers' eager attention over the same tokens and weights."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from transformers import LlamaForCausalLM

from headscope.core.analyse import head_probe
from headscope.core.model import Model
from tests import allowed


def test_smollm2s_scores_are_those_of_eager_attention(language_model: Model) -> None:
    probe = head_probe(language_model, length=25, repeats=2, seed=0)
    ids = [token.id for token in probe.tokens.tokens]
    assert ids[:25] == ids[25:]
    assert len(set(ids)) == 25
    config = deepcopy(language_model.module.config)
    config._attn_implementation = "eager"
    plain = LlamaForCausalLM(config).eval()
    plain.load_state_dict(language_model.module.state_dict())
    with torch.inference_mode():
        attentions = torch.cat(plain(torch.tensor([ids]), output_attentions=True).attentions).double().numpy()
    queries = np.arange(25, 50)
    expected = {
        "probe_previous": attentions[:, :, np.arange(1, 50), np.arange(49)].mean(-1),
        "probe_duplicate": attentions[:, :, queries, queries - 25].mean(-1),
        "probe_induction": attentions[:, :, queries, queries - 24].mean(-1),
    }
    for metric, scores in expected.items():
        within = allowed.of_weights(attentions, language_model.module)
        np.testing.assert_allclose(probe.scores[metric], scores, atol=within, err_msg=metric)
    strongest = np.argsort(-probe.scores["probe_induction"], axis=None)[:4]
    heads = {(int(at) // 9, int(at) % 9) for at in strongest}
    assert heads == {(17, 3), (17, 4), (17, 5), (18, 6)}
    assert all(probe.type_of(head) == "induction" for head in heads)
