"""Dagster's event log, kept open."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dagster._config import UserConfigSchema
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event, inspect


class RunLog(SqliteEventLogStorage):
    """The event log in SQLite, as Dagster keeps it by default, but with connections that stay open.

    Dagster opens and closes a connection for each event, and compiles each statement anew: about 20 ms for each of
    the hundreds of events of a day, more than all the SQL of the warehouse takes. The files are the same, so a home
    can be opened with either.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """There is nothing to configure: the files are where Dagster puts them."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """The event log of the instance in DAGSTER_HOME."""
        return cls(str(Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._engines:
                self._engines[shard] = self._open(shard)
            with self._engines[shard].begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; Dagster asks for every asset event, and tables do not go away."""
        if table_name not in self._tables:
            with self.index_connection() as connection:
                self._tables |= set(inspect(connection).get_table_names())
        return table_name in self._tables

    def _open(self, shard: str) -> Engine:
        engine = create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
        # With a write-ahead log this cannot damage the file; a power cut may cost the last events.
        event.listen(engine, "connect", lambda connection, _: connection.execute("pragma synchronous = normal"))
        self._initdb(engine)
        return engine

    def dispose(self) -> None:
        """Closes all connections."""
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()
