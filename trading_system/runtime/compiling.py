"""`python -m trading_system.runtime.compiling`: compile a part of the engine into the cache and end, without Django and so in less memory.

Compilers keep what they took, so that compiling all in one process takes half a gigabyte. Ends with MORE while there may be more to compile.
"""

from __future__ import annotations

import sys
from importlib import import_module

from apps.core import kernel

AT_ONCE = 40
MORE = 3


def main() -> int:
    """Whatever is in the cache already is left as it is. Needs TRADING_COMPILE_KERNELS=later in the environment."""
    for module in kernel.kernel_modules():
        import_module(module)
    return MORE if kernel.load_kernels(most=AT_ONCE) == AT_ONCE else 0


if __name__ == "__main__":
    sys.exit(main())
