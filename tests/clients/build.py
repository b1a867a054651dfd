"""Write the parts of both clients that only repeat the API's description: its types, and a method for each operation.

    python -m tests.clients.build

How a call is sent, repeated and refused, pages and webhooks are written by hand beside them. `test_description.py`
fails where what is written here is not what lies there.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.clients import node_text, python_text
from tests.clients.description import Description, Schema

CLIENTS = Path(__file__).resolve().parents[2] / "clients"


def written(document: Schema) -> dict[Path, str]:
    """Each file, and what stands in it."""
    description = Description.of(document)
    python, node = CLIENTS / "python" / "friendpay_client", CLIENTS / "node" / "src"
    return {
        python / "types.py": formatted(python_text.python_types(description)),
        python / "operations.py": formatted(python_text.python_operations(description)),
        node / "types.ts": node_text.script_types(description),
        node / "operations.ts": node_text.script_operations(description),
    }


def formatted(code: str) -> str:
    """As our formatter has it."""
    ruff = [
        str(Path(sys.executable).parent / "ruff"),
        "format",
        "--config",
        str(CLIENTS.parent / "pyproject.toml"),
        "-",
    ]
    return subprocess.run(ruff, input=code, capture_output=True, text=True, check=True).stdout


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from friendpay.api.app import api

    for path, text in written(api.get_openapi_schema()).items():
        path.write_text(text)


if __name__ == "__main__":
    main()
