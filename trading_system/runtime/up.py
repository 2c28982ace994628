"""`manage.py up`: from nothing to a running system, and back.

Runs before Django is loaded, because it starts the servers that Django's settings name. It loads no business code: what needs Django happens
in children, so that a fault there cannot take the supervisor down.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import environ

from trading_system.runtime.addresses import ServerAddresses, named_database, named_redis, write_servers_file
from trading_system.runtime.instance import InstanceLock, end_leftovers, refuse_taken_port
from trading_system.runtime.options import UpOptions, parse_options
from trading_system.runtime.places import DataPlaces, ServerPlaces, refuse_full_disk, server_places
from trading_system.runtime.postgres import PostgresServer
from trading_system.runtime.preparation import Preparation, Welcome, is_schema_current, schema_fingerprint, stamp_schema
from trading_system.runtime.programs import plain_environment, postgres_programs, redis_program
from trading_system.runtime.redis import RedisServer
from trading_system.runtime.refusals import StartRefused
from trading_system.runtime.secrets import local_secret
from trading_system.runtime.specifications import BASE_DIR, LESS_URGENT, ProcessSpecification, application_processes
from trading_system.runtime.supervisor import Supervisor

EXIT_REFUSED = 2
_SERVER_START_SECONDS = 60.0
_PREPARATION_ATTEMPTS = 3
_LESS_URGENT_SECONDS = 8.0


def main(arguments: Sequence[str]) -> int:
    """Run until stopped; returns the exit code: 0 after a clean stop, 2 when the start was refused (one sentence on standard error)."""
    try:
        _read_env_file()
        return _Start(parse_options(arguments)).run()
    except StartRefused as refusal:
        _complain(str(refusal))
    except OSError as error:
        _complain(f"The system cannot start: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")
    return EXIT_REFUSED


class _Start:
    """One run of the system."""

    def __init__(self, options: UpOptions) -> None:
        self._options = options
        self._places = DataPlaces(options.data_dir)
        self._url = f"http://localhost:{options.port}"
        self._supervisor = Supervisor(self._places, address=self._url, say=_say)
        self._undo = ExitStack()
        self._sockets: Path | None = None

    def run(self) -> int:
        self._places.create()
        with self._undo:
            self._undo.callback(InstanceLock(self._places.lock_file, self._url).release)
            refuse_taken_port(self._options.host, self._options.port)
            self._forget_predecessor()
            self._supervisor.stop_on_signals()
            self._undo.callback(self._places.servers_file.unlink, missing_ok=True)
            self._undo.callback(self._remove_sockets)
            self._undo.callback(self._supervisor.stop)
            addresses, embedded = self._start_servers()
            settings = embedded | {"TRADING_DATA_DIR": str(self._options.data_dir)}
            write_servers_file(self._places.servers_file, embedded)
            self._start_application(addresses, settings)
            self._supervisor.run()
            _say("Stopping.")
        _say("Stopped.")
        return 0

    def _forget_predecessor(self) -> None:
        self._places.servers_file.unlink(missing_ok=True)
        ended = end_leftovers(self._places)
        if ended:
            _say(f"Ended what an earlier run had left behind: {', '.join(ended)}.")

    def _start_servers(self) -> tuple[ServerAddresses, dict[str, str]]:
        """Use the servers named in the environment, start our own for the others; returns all addresses and the settings of our own."""
        database_url, redis_url = named_database(os.environ), named_redis(os.environ)
        embedded: dict[str, str] = {}
        if database_url and redis_url:
            return ServerAddresses(database_url, redis_url), embedded
        places = server_places(self._options.data_dir)
        places.create()
        self._sockets = places.sockets
        if not database_url:
            postgres = self._start_postgres(places)
            database_url = postgres.url
            embedded |= postgres.settings
        if not redis_url:
            redis = self._start_redis(places)
            redis_url = redis.url
            embedded |= redis.settings
        return ServerAddresses(database_url, redis_url), embedded

    def _start_postgres(self, places: ServerPlaces) -> PostgresServer:
        refuse_full_disk(places.home)
        programs = postgres_programs(account=places.account, copies=places.copies)
        server = PostgresServer(programs, places, password=local_secret(self._options.data_dir, "postgres"))
        self._start_server("postgres", server, places)
        if not self._supervisor.is_stopping:
            server.ensure_database()
        return server

    def _start_redis(self, places: ServerPlaces) -> RedisServer:
        server = RedisServer(redis_program(account=places.account, copies=places.copies), places)
        self._start_server("redis", server, places)
        return server

    def _start_server(self, name: str, server: PostgresServer | RedisServer, places: ServerPlaces) -> None:
        self._supervisor.start([_server_specification(name, server, places)])
        if not self._supervisor.run_until(server.is_accepting, seconds=_SERVER_START_SECONDS) and not self._supervisor.is_stopping:
            raise StartRefused(f"The server {name} did not start.", hint=f"See {self._places.logs / f'{name}.log'}.")

    def _remove_sockets(self) -> None:
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _start_application(self, addresses: ServerAddresses, settings: dict[str, str]) -> None:
        """Migrate, start the processes, open the first world; processes do not wait for a migration that was done before."""
        stamp = self._places.root / "schema.stamp"
        fingerprint = schema_fingerprint(addresses.database_url)
        processes = application_processes(host=self._options.host, port=self._options.port, settings=settings)
        is_started = False
        if is_schema_current(stamp, fingerprint):
            self._start_processes(processes, addresses)
            is_started = True
        for attempt in range(_PREPARATION_ATTEMPTS):
            preparation = Preparation(self._options, settings, self._places.logs / "prepare.log")
            try:
                if not is_started and self._supervisor.run_until(lambda: preparation.is_migrated or preparation.exit_code is not None):  # noqa: B023
                    is_started = self._start_if_migrated(preparation, processes, addresses)
                self._supervisor.run_until(lambda: preparation.exit_code is not None)  # noqa: B023
            finally:
                preparation.end()
            if self._supervisor.is_stopping:
                return
            if preparation.refusal:
                raise StartRefused(preparation.refusal)
            if preparation.welcome is not None:
                stamp_schema(stamp, fingerprint)
                self._welcome(preparation.welcome)
                return
            _say(f"Preparing the database failed (attempt {attempt + 1} of {_PREPARATION_ATTEMPTS}): {preparation.last_line}")
        raise StartRefused("The database could not be prepared.", hint=f"See {self._places.logs / 'prepare.log'}.")

    def _start_if_migrated(self, preparation: Preparation, processes: list[ProcessSpecification], addresses: ServerAddresses) -> bool:
        if preparation.is_migrated:
            self._start_processes(processes, addresses)
        return preparation.is_migrated

    def _start_processes(self, processes: list[ProcessSpecification], addresses: ServerAddresses) -> None:
        self._supervisor.start([process for process in processes if process.name not in LESS_URGENT])
        self._supervisor.start_soon([process for process in processes if process.name in LESS_URGENT], seconds=_LESS_URGENT_SECONDS)
        self._supervisor.watch(addresses, host=self._options.host, port=self._options.port)

    def _welcome(self, welcome: Welcome) -> None:
        self._supervisor.run_until(lambda: self._supervisor.is_web_answering, seconds=60)
        _say(f"\nTrading System is running at {self._url}/")
        _say(f"  Log in once, from this machine:  {self._url}{welcome.login_path}")
        if welcome.password:
            _say(f"  User: {welcome.username}   Password: {welcome.password}   (shown only now)")
        _say(f"  Logs: {self._places.logs}   State: `manage.py status`   Stop: Ctrl-C or `make stop`\n")


def _server_specification(name: str, server: PostgresServer | RedisServer, places: ServerPlaces) -> ProcessSpecification:
    return ProcessSpecification(
        name=name,
        command=server.command(),
        environment=plain_environment(),
        directory=places.home,
        account=places.account,
        stop_signal=server.stop_signal,
        death_signal=server.stop_signal,
        prepare=server.prepare,
    )


def _read_env_file() -> None:
    path: Path = BASE_DIR / ".env"
    if path.is_file():
        environ.Env.read_env(str(path))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")
