"""What this machine is, as one line of JSON: `python -m worker.probe`. A program of its own: it loads torch."""

import json
import sys

from dreamer_core.runs.facts import find_runtime


def main() -> None:
    import torch

    from dreamer_core.bench.testbed import describe_testbed

    count = torch.cuda.device_count()
    runtime = find_runtime(1, torch.cuda.get_device_name(0) if count else None)
    found = {
        "devices": [torch.cuda.get_device_name(index) for index in range(count)],
        "torch": torch.__version__,
        "driver": runtime.driver,
        "testbed": describe_testbed(torch.device("cuda" if count else "cpu")),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
