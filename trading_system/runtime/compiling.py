"""`python -m trading_system.runtime.compiling`: compile the engine into the cache and end, without Django and so in less memory."""

from __future__ import annotations

import sys
from importlib import import_module

from apps.core import kernel


def main() -> int:
    """Whatever is in the cache already is left as it is. Needs TRADING_COMPILE_KERNELS=later in the environment."""
    for module in kernel.kernel_modules():
        import_module(module)
    kernel.load_kernels()
    return 0


if __name__ == "__main__":
    sys.exit(main())
