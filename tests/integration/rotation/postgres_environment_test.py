#!/usr/bin/env python3
"""postgres_environment_test.py QSECRETS: roles, their settings, and servers of PostgreSQL as operators have them."""
import json
import shutil
import unittest

from postgres_rotation_case import TABLE_PLAN, PostgresRotationCase, PostgresServer, wait_for
from rotation_case import PLAN, fingerprint


class RolesCase(PostgresRotationCase):
    """The command connects as `app`, a role of the test's own."""

    def setUp(self):
        super().setUp()
        self.make_tables()
        self.role = f"app_{self.database.name}"
        self.database.execute(f"CREATE ROLE {self.role} LOGIN")

    def environment(self, **settings):
        return super().environment(**{"DATABASE_URL": self.server.address(self.database.name, self.role), **settings})

    def grant(self, *grants):
        for grant in grants:
            self.database.execute(f"GRANT {grant} TO {self.role}")


class Permissions(RolesCase):
    TABLES = "SELECT, UPDATE ON instances, export_configs"

    def test_what_the_guide_names_is_enough(self):
        self.grant(self.TABLES, "CREATE ON SCHEMA public")
        self.rotate()
        self.assert_rotated()
        self.assertEqual(self.database.value("SELECT role FROM qarion_secrets_rotations"), self.role)
        self.verify()

    def test_what_the_guide_names_is_enough_where_the_audit_table_is_there(self):
        self.grant(self.TABLES, "CREATE ON SCHEMA public")
        self.rotate()
        self.database.execute(f"REVOKE CREATE ON SCHEMA public FROM {self.role}; "
                              f"ALTER TABLE qarion_secrets_rotations OWNER TO postgres")
        self.grant("SELECT, INSERT ON qarion_secrets_rotations")
        self.old, self.new = self.new, self.other
        self.rotate()
        self.assert_rotated()
        self.assertEqual(self.database.value("SELECT count(*) FROM qarion_secrets_rotations"), 2)

    def test_what_is_missing_is_named_with_the_command_that_grants_it(self):
        """Whoever does what each error says has everything in the end."""
        for missing in ("may not read public.export_configs, public.instances",
                        "may not read and write public.export_configs, public.instances",
                        "may not make the audit table public.qarion_secrets_rotations"):
            result = self.assert_fails(77, f"the role {self.role} {missing}")
            self.database.execute(result.stderr.partition("to mend it: ")[2])
        self.rotate()
        self.assert_rotated()

    def test_verify_needs_to_read_alone(self):
        self.grant("SELECT ON instances, export_configs")
        self.verify(status=65)
        self.assert_fails(77, "UPDATE", arguments=("--dry-run",))
        self.assert_fails(77, "UPDATE")

    def test_tables_elsewhere_that_cannot_be_read_are_not_passed_over_in_silence(self):
        self.grant(self.TABLES, "CREATE ON SCHEMA public")
        self.database.execute("CREATE TABLE elsewhere (v text)")
        self.database.insert("elsewhere", v=self.token("fake"))
        self.assert_fails(77, "public.elsewhere", "permission denied", "--allow-unlisted")
        self.rotate("--allow-unlisted")
        self.assert_rotated()

    def test_rows_that_a_policy_hides_are_an_error(self):
        self.grant(self.TABLES, "CREATE ON SCHEMA public")
        self.database.execute("CREATE POLICY most ON instances USING (id <> 3); "
                              "ALTER TABLE instances ENABLE ROW LEVEL SECURITY")
        self.assert_fails(77, "row-level security hides rows of public.instances", "BYPASSRLS")
        verified = self.run_rotate("verify")
        self.assertEqual(verified.returncode, 77, verified.stderr)
        self.database.execute(f"ALTER ROLE {self.role} BYPASSRLS")
        self.rotate()
        self.assert_rotated()

    def test_the_owner_is_stopped_by_a_policy_that_is_forced(self):
        self.database.execute(f"ALTER TABLE instances OWNER TO {self.role}; ALTER TABLE export_configs OWNER TO {self.role}; "
                              "CREATE POLICY most ON instances USING (id <> 3); "
                              "ALTER TABLE instances ENABLE ROW LEVEL SECURITY")
        self.grant("CREATE ON SCHEMA public")
        self.database.execute("ALTER TABLE instances FORCE ROW LEVEL SECURITY")
        self.assert_fails(77, "row-level security", "BYPASSRLS",
                          'after ALTER TABLE "public"."instances" NO FORCE ROW LEVEL SECURITY')
        self.database.execute("ALTER TABLE instances NO FORCE ROW LEVEL SECURITY")
        self.rotate()
        self.assert_rotated()

    def test_another_schema_for_the_audit_table(self):
        self.grant(self.TABLES)
        self.database.execute(f"CREATE SCHEMA audits AUTHORIZATION {self.role}")
        plan = 'audit_table = "audits.rotations"\n' + PLAN
        report = self.rotate(plan=plan)
        self.assertEqual(self.database.rows("SELECT id, new_key FROM audits.rotations"),
                         [(report["rotation"], fingerprint(self.new))])
        self.assert_fails(78, "nowhere", plan=plan.replace("audits", "nowhere"),
                          INSTANCE_ENCRYPTION_KEY=self.other, INSTANCE_ENCRYPTION_KEY_PREVIOUS=self.new)


class Settings(RolesCase):
    def test_settings_of_a_role_that_would_cut_it_off_or_change_what_it_reads(self):
        self.grant(Permissions.TABLES, "CREATE ON SCHEMA public")
        for name, value in (
                ("statement_timeout", "1s"), ("idle_in_transaction_session_timeout", "1s"), ("lock_timeout", "1ms"),
                ("default_transaction_read_only", "on"), ("default_transaction_isolation", "serializable"),
                ("default_transaction_deferrable", "on"), ("row_security", "on"), ("bytea_output", "escape"),
                ("standard_conforming_strings", "off"), ("quote_all_identifiers", "on"), ("enable_tidscan", "off"),
                ("enable_nestloop", "off"), ("work_mem", "64kB"), ("datestyle", "German"), ("timezone", "Pacific/Apia"),
                ("client_encoding", "LATIN1"), ("extra_float_digits", "-15"), ("transform_null_equals", "on"),
                ("synchronize_seqscans", "on"), ("jit", "on"), ("jit_above_cost", "0"), ("array_nulls", "off")):
            self.database.execute(f"ALTER ROLE {self.role} SET {name} = '{value}'")
        self.database.execute(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1.2); RETURN NEW; END $$; "
            "CREATE TRIGGER slow BEFORE UPDATE ON instances FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION slow()")
        self.rotate(PGCLIENTENCODING="LATIN1", PGTZ="Asia/Kathmandu", PGDATESTYLE="SQL, DMY")
        self.assert_rotated()

    def test_a_session_that_stands_idle_in_its_transaction_is_not_ended(self):
        idle = ("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database() "
                "AND application_name LIKE 'qsecrets rotate%%' AND clock_timestamp() - state_change > interval '1300ms'")
        with self.held(before="SET CONSTRAINTS", PGOPTIONS="-c idle_in_transaction_session_timeout=1s"):
            wait_for(lambda: self.database.value(idle) == 2, "standing idle of both sessions", seconds=10)
        self.assert_rotated()

    def test_a_search_path_in_which_others_come_before_the_database_s_own_is_refused(self):
        self.grant(Permissions.TABLES, "CREATE ON SCHEMA public")
        self.database.execute(f"ALTER ROLE {self.role} SET search_path = public, pg_catalog")
        self.assert_fails(78, "the search path names the schema public before pg_catalog", "PGOPTIONS")
        self.rotate(PGOPTIONS="-c search_path=public")

    def test_a_search_path_of_the_role_finds_tables_and_the_place_of_the_audit_table(self):
        self.database.execute("CREATE SCHEMA app; ALTER TABLE instances SET SCHEMA app; ALTER TABLE export_configs SET SCHEMA app")
        self.grant("USAGE, CREATE ON SCHEMA app", "SELECT, UPDATE ON ALL TABLES IN SCHEMA app")
        self.assert_fails(78, "instances is not in the database", "did you mean app.instances?")
        self.database.execute(f"ALTER ROLE {self.role} SET search_path = app")
        self.rotate()
        self.assertEqual(self.database.value("SELECT count(*) FROM app.qarion_secrets_rotations"), 1)

    def test_a_role_that_may_have_one_connection(self):
        self.grant(Permissions.TABLES, "CREATE ON SCHEMA public")
        self.database.execute(f"ALTER ROLE {self.role} CONNECTION LIMIT 1")
        self.assert_fails(69, "too many connections")
        self.database.execute(f"ALTER ROLE {self.role} CONNECTION LIMIT 2")
        self.rotate()

    def test_a_database_of_another_encoding(self):
        self.database.close()
        name = f"latin_{self.database.name}"
        self.server.sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        self.database.name = name
        self.database.connect()
        self.make_tables()
        self.database.execute("ALTER TABLE instances ADD \"gr\u00fc\u00dfe\" text DEFAULT '\u00e9\u00fc'")
        self.database.insert("export_configs", id=9, credentials=json.dumps({"n\u00e4me": self.token("fake-\u20ac")}), note="\u00e9")
        self.rotate(DATABASE_URL=self.database.address)
        self.assert_rotated()
        self.assertEqual(self.database.value("SELECT \"gr\u00fc\u00dfe\" FROM instances WHERE id = 1"), "\u00e9\u00fc")
        token = self.database.value("SELECT credentials->>'n\u00e4me' FROM export_configs WHERE id = 9")
        self.assertEqual(self.plaintext(token), "fake-\u20ac")


class Servers(PostgresRotationCase):
    settings = {"wal_level": "logical", "max_prepared_transactions": "2"}

    def test_a_standby_is_verified_and_not_rotated(self):
        self.make_tables()
        standby = PostgresServer.__new__(PostgresServer)
        self.make_standby(standby)
        primary = self.database
        address = f"host={standby.host} port=5432 user=postgres dbname={primary.name}"
        wait_for(lambda: self.count_on(standby), "replication")
        result = self.run_rotate("--yes", DATABASE_URL=address)
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertIn("is a standby, which accepts no changes", result.stderr)
        self.assertIn("connect to the primary server", result.stderr)
        self.verify(status=65, DATABASE_URL=address)
        result = self.run_rotate("--yes")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^note +replication: 1 replicas? receives? every change")
        wait_for(lambda: self.run_rotate("verify", DATABASE_URL=address).returncode == 0, "replication of the new values")

    def make_standby(self, standby):
        standby.__dict__.update(self.server.__dict__)
        standby.directory = self.directory / "standby"
        standby.directory.mkdir()
        self.directory.chmod(0o755)
        if standby.user:
            shutil.chown(standby.directory, standby.user.pw_uid, standby.user.pw_gid)
        standby.data = standby.directory / "data"
        standby.process = None
        standby.run("pg_basebackup", "-D", standby.data, "-R", "-h", self.server.host, "-U", "postgres", "-c", "fast",
                    "--no-sync")
        with open(standby.data / "postgresql.conf", "a") as file:
            file.write(f"unix_socket_directories = '{standby.directory}'\n")
        standby.start()
        self.addCleanup(standby.close)

    def count_on(self, standby):
        return standby.sql("SELECT to_regclass('instances')", database=self.database.name)[0][0]

    def test_publications_and_slots_that_nobody_reads_are_told_of(self):
        self.make_tables()
        self.database.execute("CREATE PUBLICATION feed FOR TABLE instances")
        self.database.execute("SELECT pg_create_logical_replication_slot('idle_reader', 'test_decoding')")
        self.addCleanup(lambda: self.database.execute("SELECT pg_drop_replication_slot('idle_reader')"))
        result = self.run_rotate("--yes")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^note +public\.instances: is in the publications feed")
        self.assertIn("idle_reader", result.stderr)
        self.assert_rotated()

    def test_a_table_whose_rows_cannot_be_published_is_an_error(self):
        self.database.execute("CREATE TABLE t (c text); CREATE PUBLICATION feed FOR TABLE t")
        self.database.insert("t", c=self.token("fake"))
        self.assert_fails(78, "public.t", "replica identity", plan=TABLE_PLAN.format(table="t", column="c", more=""))

    def test_a_prepared_transaction_that_holds_a_table_is_named(self):
        self.make_tables()
        self.database.execute("BEGIN; UPDATE instances SET name = 'edited' WHERE id = 1; PREPARE TRANSACTION 'forgotten'")
        self.addCleanup(lambda: self.database.execute("ROLLBACK PREPARED 'forgotten'"))
        self.assert_fails(75, "public.instances", arguments=("--yes", "--lock-timeout", "1"))

    def test_unlogged_and_temporary_tables(self):
        self.make_tables()
        self.database.execute("ALTER TABLE instances SET UNLOGGED; CREATE TEMPORARY TABLE mine (c text)")
        self.database.insert("mine", c=self.token("fake"))
        self.rotate()
        self.assert_rotated()



if __name__ == "__main__":
    unittest.main()
