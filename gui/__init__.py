"""The screen: panels, painting, the background lanes and the command line. Never imports torch or transformers."""

if __name__ != "headscope.gui":
    raise ImportError("import headscope.gui: the folder 'gui' of a checkout is installed under that name")
