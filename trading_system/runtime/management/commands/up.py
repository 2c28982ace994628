"""Start the whole system (see trading_system.runtime.up; manage.py calls it before Django is loaded)."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from trading_system.runtime import up
from trading_system.runtime.options import option_parser


class Command(BaseCommand):
    help = "Start the whole system: PostgreSQL, Redis, web, workers, streams, sessions and executor. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: object) -> ArgumentParser:  # type: ignore[override]
        return option_parser()

    def run_from_argv(self, argv: list[str]) -> None:
        raise SystemExit(up.main(argv[2:]))

    def handle(self, *args: object, **options: object) -> None:
        raise SystemExit(up.main([str(argument) for argument in args]))
