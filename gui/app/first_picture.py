"""What is painted before the model is there: what was looked at last, or else the example that comes with the first toy."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from headscope.gui.session.kept_picture import KeptPicture, picture_file, read_picture
from headscope.gui.session.last_session import LastSession
from headscope.resources import first_picture_file


def first_picture(source: str, last: LastSession | None, settings: QSettings) -> KeptPicture | None:
    """The picture that `source` will show first, as far as it is known; None if it is not."""
    shipped = read_picture(first_picture_file())
    if last is None:
        return shipped if shipped is not None and shipped.source == source else None
    kept = (read_picture(picture_file(settings)), shipped)
    return next((picture for picture in kept if picture is not None and picture.is_of(last)), None)
