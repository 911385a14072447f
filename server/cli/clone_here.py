"""The clone of Dreamgate that one stands in: what `up` lets its own worker check commits out from.

Only where nobody but this machine can reach the server. Whoever may submit jobs runs the code of any commit that the
clone has, also of branches that were fetched and never read: to open that to a team is for a person to say.
"""

import subprocess
from pathlib import Path


def clone_here(folder: Path) -> Path | None:
    try:
        found = subprocess.run(  # noqa: S603 - a fixed program, no shell
            ["git", "-C", str(folder), "rev-parse", "--show-toplevel"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    top = Path(found.stdout.strip())
    is_ours = found.returncode == 0 and (top / "dreamer_core" / "cli" / "main.py").is_file()
    return top if is_ours else None
