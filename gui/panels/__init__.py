"""One file per dock: each binds to ExplorerState, holds no model and computes nothing heavy."""
