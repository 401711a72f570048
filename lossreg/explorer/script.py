"""Data of packages as JavaScript."""

import json
from typing import Any


def script_data(data: Any) -> str:
    """Return data as JavaScript that may stand in a page, whatever strings it holds."""
    # Without '<' no text of a package can end the script or begin a comment.
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
