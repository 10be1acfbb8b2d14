"""What a model cannot do, and why."""

from __future__ import annotations

from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.predict.classes import why_no_tokens
from headscope.core.vocabulary import Ability


def why_unable(model: ModelInfo | None, ability: Ability, otherwise: str) -> HeadscopeError | None:
    """Why the model cannot do this, for `otherwise` the code of the usual reason; None if it can."""
    if model is None:
        return HeadscopeError("no_model")
    if ability in model.abilities:
        return None
    return why_no_tokens(model, otherwise) if ability == "generate" else HeadscopeError(otherwise, model=model.name)
