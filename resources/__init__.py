"""Icons, fonts, toy weights: data with typed accessors, no logic."""

from pathlib import Path

if __name__ != "headscope.resources":
    raise ImportError("import headscope.resources: the folder 'resources' of a checkout is installed under that name")

_HERE = Path(__file__).parent


def font_files() -> list[Path]:
    """The bundled Inter fonts (SIL Open Font License), sorted by name."""
    return sorted((_HERE / "fonts").glob("*.otf"))


def toy_folder(name: str) -> Path:
    """The folder of the shipped toy `name` (weights, vocabulary, recipe); it may not exist."""
    return _HERE / "toys" / name


def toy_names() -> list[str]:
    """Names of the shipped toys, without the ``toy:`` prefix."""
    return sorted(path.name for path in (_HERE / "toys").iterdir() if (path / "model.safetensors").exists())


def icon_file(name: str) -> Path:
    """The SVG file of an icon."""
    return _HERE / "icons" / f"{name}.svg"


def first_picture_file() -> Path:
    """The attention of the first toy's first example, painted before the toy is there; `tests.first_picture` writes it."""
    return _HERE / "first_picture"


def translations_folder() -> Path:
    """Where compiled translations (``headscope_<language>.qm``) lie; it may not exist."""
    return _HERE / "translations"
