"""A guide as who follows it reads it: its sections, their commands, and how long their words take."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

WORDS_A_MINUTE = 200  # of prose
SECONDS_A_COMMAND = 6  # to copy it, paste it and look at what it says


@dataclass
class Section:
    title: str
    words: int = 0
    commands: list[str] = field(default_factory=list)

    @property
    def reading(self) -> float:
        """Seconds of who reads every word and pastes every command."""
        return self.words / WORDS_A_MINUTE * 60 + len(self.commands) * SECONDS_A_COMMAND


def sections(document: Path) -> dict[str, Section]:
    """By title."""
    found = [Section("before")]
    block: list[str] = []
    for line in [*document.read_text("utf-8").splitlines(), ""]:
        if line.startswith("    "):
            block.append(line[4:])
            continue
        if not line and block:
            found[-1].commands += commands(block)
            block = []
        if line.startswith("## "):
            found.append(Section(line[3:]))
        found[-1].words += len(re.findall(r"\w+", line))
    return {section.title: section for section in found}


def commands(lines: list[str]) -> list[str]:
    """Lines that the shell waits for more after belong together."""
    made: list[str] = []
    text = ""
    for line in lines:
        text = f"{text}\n{line}" if text else line
        checked = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
        if checked.returncode == 0 and "here-document" not in checked.stderr and not text.endswith("\\"):
            made.append(text)
            text = ""
    if text:
        raise SystemExit(f"No whole command: {text}")
    return made
