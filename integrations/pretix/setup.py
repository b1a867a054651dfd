"""The translations are compiled when the package is built: catalogues in, what Django reads out."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithTranslations(build_py):
    def run(self) -> None:
        for catalogue in Path("pretix_friendpay/locale").glob("*/LC_MESSAGES/django.po"):
            with catalogue.open("rb") as words, catalogue.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, read_po(words))
        super().run()


setup(cmdclass={"build_py": BuildWithTranslations})
