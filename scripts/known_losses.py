"""Write the names of the losses of lossreg's own packages, for who hasn't installed them.

python scripts/known_losses.py
"""

import json
from pathlib import Path

from lossreg.registry import discover

FILE = Path(__file__).parents[1] / "lossreg" / "registry" / "known.json"


def known_losses() -> str:
    """Return the file's text: each distribution with all names of its losses."""
    known: dict[str, list[str]] = {}
    for entry in discover().entries():
        if entry.provider.distribution.startswith("lossreg-"):
            known.setdefault(entry.provider.distribution, []).extend(entry.spec.names)
    return json.dumps(dict(sorted(known.items())), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(known_losses(), encoding="utf-8")
