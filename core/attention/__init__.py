"""Attention: read while a model runs (`capture`), kept (`kept`), shown (`maps`), all of it in a record (`record`); edits inside a pass."""
