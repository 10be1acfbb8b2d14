"""A tokenizer for models of chemical reactions (rxnmapper, rxnfp), which ship a vocabulary and nothing that reads it.

`AutoTokenizer` would give them a word tokenizer that lower-cases: wrong, and silently so.

References
----------
Schwaller et al., Molecular Transformer, 2019 (the regular expression); Schwaller et al., Extraction of organic chemistry grammar from
unsupervised learning of chemical reactions, 2021 (RXNMapper).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

if TYPE_CHECKING:
    from transformers import TokenizersBackend

PIECE = (
    r"(\%\([0-9]{3}\)|\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\||\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>>?|\*|\$|\%[0-9]{2}|[0-9])"
)
"""An atom, a bond, a bracket."""


def is_smiles_vocabulary(path: Path) -> bool:
    """Whether a vocab.txt is one of reactions: it has the reaction arrow and atoms in brackets."""
    if not path.is_file():
        return False
    words = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return ">>" in words and sum(word.startswith("[") and word.endswith("+]") for word in words) > 3


def smiles_tokenizer(path: Path) -> TokenizersBackend:
    """A tokenizer over the vocabulary `path`: each atom, bond and bracket is a token."""
    from transformers import TokenizersBackend

    ids = {word: index for index, word in enumerate(path.read_text(encoding="utf-8").splitlines())}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(word, ids[word]) for word in ("[CLS]", "[SEP]")],
    )
    return TokenizersBackend(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        mask_token="[MASK]",
    )
