"""While a model runs: what attention functions hand over, who owns what was changed in a model."""
