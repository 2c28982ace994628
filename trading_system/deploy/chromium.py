"""Make sure that the browser tests find a Chromium: one on PATH, else from the distribution's packages when we are root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    """Install it if needed and possible, else say what to install."""
    if _is_there():
        return
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stderr.write("Installing Chromium for the browser tests\n")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        for command in (install, ["apt-get", "update", "-qq"], install):
            subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
            if _is_there():
                return
    sys.stderr.write(
        "The browser tests need Chromium and will fail: install the package chromium (or Google Chrome) so that it is on PATH.\n"
    )


def _is_there() -> bool:
    return any(shutil.which(name) for name in NAMES)


if __name__ == "__main__":
    main()
