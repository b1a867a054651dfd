"""Writes the texts of the WooCommerce plugin: the template, its languages brought up to it, what WordPress reads.

.venv/bin/python -m tests.integrations.woocommerce_texts
"""

import re
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

PLUGIN = Path(__file__).parents[2] / "integrations" / "woocommerce" / "friendpay-for-woocommerce"
DOMAIN = "friendpay-for-woocommerce"
LANGUAGES = ("de_DE", "zh_CN")
_CALL = re.compile(rf"__\('((?:[^'\\]|\\.)*)', '{DOMAIN}'\)")


def template() -> Catalog:
    """All texts in the code, by file."""
    catalog = Catalog(project="friendpay for WooCommerce", version="0.1.0", fuzzy=False)
    for file in sorted(PLUGIN.glob("src/**/*.php")):
        for found in _CALL.findall(file.read_text("utf-8")):
            catalog.add(re.sub(r"\\(.)", r"\1", found), locations=[(str(file.relative_to(PLUGIN)), 0)])
    return catalog


def of(language: str) -> Catalog:
    """As its translators have left it."""
    file = PLUGIN / "languages" / f"{DOMAIN}-{language}.po"
    with file.open("rb") as po:
        return read_po(po, locale=language)


def for_wordpress(catalog: Catalog, language: str) -> str:
    """The file that WordPress 6.5 and later reads."""

    def quoted(text: object) -> str:
        return "'" + str(text).replace("\\", "\\\\").replace("'", "\\'") + "'"

    told = sorted((it.id, it.string) for it in catalog if it.id and it.string)
    lines = [f"        {quoted(id)} => {quoted(string)},\n" for id, string in told]
    return f"<?php\n\nreturn [\n    'language' => '{language}',\n    'messages' => [\n{''.join(lines)}    ],\n];\n"


def text(catalog: Catalog) -> str:
    """As a .po or .pot file, without the day it was written."""
    told = BytesIO()
    write_po(told, catalog, width=120, omit_header=False, include_lineno=False)
    kept = told.getvalue().decode().splitlines(keepends=True)
    return "".join(
        line for line in kept if not re.match(r'# |#$|"(POT-Creation|PO-Revision|Generated|Last-T|Report)', line)
    )


def main() -> None:
    folder, wanted = PLUGIN / "languages", template()
    (folder / f"{DOMAIN}.pot").write_text(text(wanted), "utf-8")
    for language in LANGUAGES:
        catalog = of(language)
        catalog.update(wanted, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        (folder / f"{DOMAIN}-{language}.po").write_text(text(catalog), "utf-8")
        (folder / f"{DOMAIN}-{language}.l10n.php").write_text(for_wordpress(catalog, language), "utf-8")


if __name__ == "__main__":
    main()
