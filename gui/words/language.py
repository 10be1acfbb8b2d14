"""The language of the window: which translations are installed, English's own plurals among them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from headscope.resources import translations_folder

_NAME: Final = "headscope translation"
_ENGLISH: Final = QLocale(QLocale.Language.English)


def set_language(application: QCoreApplication, locale: QLocale) -> None:
    """Say everything in a language from now on; in English what has no translation.

    English needs a file too: "1 token" and "2 tokens" are forms of one sentence. Windows that are open hear of it by
    `QEvent.LanguageChange`.
    """
    for old in application.findChildren(QTranslator, _NAME):
        application.removeTranslator(old)
        old.deleteLater()
    ours, qt = str(translations_folder()), QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    wanted = [(_ENGLISH, "headscope", ours), (locale, "qtbase", qt), (locale, "headscope", ours)]  # the last is asked first
    for language, name, folder in wanted:
        translator = QTranslator(application)
        translator.setObjectName(_NAME)
        if translator.load(language, name, "_", folder):
            application.installTranslator(translator)
        else:
            translator.deleteLater()


def has_language(application: QCoreApplication) -> bool:
    """Whether one was set: a window in somebody else's application sets it for its own words."""
    return bool(application.findChildren(QTranslator, _NAME))
