"""Compiles the translations while the package is built; everything else is in pyproject.toml."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py


class WithTranslations(build_py):
    def run(self) -> None:
        super().run()
        for source in Path("friendpay_oscar/locale").glob("*/LC_MESSAGES/django.po"):
            compiled = Path(self.build_lib, source).with_suffix(".mo")
            compiled.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as messages, compiled.open("wb") as file:
                write_mo(file, read_po(messages))


setup(cmdclass={"build_py": WithTranslations})
