"""Words that are translated later, where they are shown: marked for Qt's tools to find. (Qt's own marker is untyped.)"""

from __future__ import annotations

from headscope.core.translating import QT_TRANSLATE_NOOP as QT_TRANSLATE_NOOP
