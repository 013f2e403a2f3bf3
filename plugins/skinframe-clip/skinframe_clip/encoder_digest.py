"""What an encoder's digest is made of: the bytes of its weights and everything that changes its output."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# Raise it when this package's own code changes what an encoder gives for the same weights and options.
CODE = 1


def digest_of(parts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of JSON values; the order of keys does not matter."""
    text = json.dumps({"code": CODE, **parts}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
