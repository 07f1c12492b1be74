# SPDX-License-Identifier: Apache-2.0
"""`python -m stn_perception.cli` is `stn`."""

import sys

from stn_perception.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
