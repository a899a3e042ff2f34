#!/usr/bin/env python3
"""postgres_test.py QSECRETS: `qsecrets rotate encryption-key` on a real server of PostgreSQL."""
import itertools
import json
import unittest

from behaviours import Behaviours
from postgres_server import PostgresServer
from psycopg2 import sql
from rotation_case import RotationCase

NUMBERS = itertools.count(1)


class Postgres:
    """A database of its own on the server."""
    json_type = "jsonb"
    bytes_type = "bytea"

    def __init__(self, server):
        self.server = server
        self.name = f"test{next(NUMBERS)}"
        server.sql(f"CREATE DATABASE {self.name} STRATEGY file_copy")
        self.address = server.address(self.name)
        self.connection = server.connect(self.name)

    def execute(self, statement, values=None):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def insert(self, table, **columns):
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(columns)))
        self.execute(statement, list(columns.values()))

    def rows(self, query):
        return [tuple(row) for row in self.execute(query)]

    def dump(self):
        """Every row of every table, byte for byte."""
        tables = self.rows("SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
                           "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1")
        return json.dumps([[table, self.rows(f"SELECT t::text FROM {table} t ORDER BY 1")] for table, in tables])

    def close(self):
        self.connection.close()


class PostgresCase(RotationCase):
    @classmethod
    def setUpClass(cls):
        cls.server = PostgresServer()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        super().setUp()
        self.database = Postgres(self.server)
        self.addCleanup(self.database.close)


class PostgresBehaviours(Behaviours, PostgresCase):
    pass


if __name__ == "__main__":
    unittest.main()
