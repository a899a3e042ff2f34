#!/usr/bin/env python3
"""postgres_test.py QSECRETS: `qsecrets rotate encryption-key` on a real server of PostgreSQL."""
import unittest

from behaviours import Behaviours
from postgres_rotation_case import PostgresRotationCase


class PostgresBehaviours(Behaviours, PostgresRotationCase):
    pass


if __name__ == "__main__":
    unittest.main()
