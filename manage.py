#!/usr/bin/env python
"""Django's command-line utility."""

import os
import sys

from django.core.management import execute_from_command_line

from trading_system.runtime import up

COMPUTING = {"backtest", "check_strategy"}
"""Commands that run compiled kernels. Whether to compile is decided when modules are loaded; they say when, and tell that it takes a while."""

if __name__ == "__main__":
    if sys.argv[1:2] == ["up"]:  # starts the servers that the settings name, so it runs before the settings are read
        raise SystemExit(up.main(sys.argv[2:]))
    if sys.argv[1:2] and sys.argv[1] in COMPUTING:
        os.environ.setdefault("TRADING_COMPILE_KERNELS", "later")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trading_system.settings.dev")
    execute_from_command_line(sys.argv)
