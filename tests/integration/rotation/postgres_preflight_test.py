"""What is said about a database before a rotation begins, and about a standby."""
from postgres_case import PostgresCase, main


SETTINGS = {"max_replication_slots": 4, "wal_level": "logical"}


class Findings(PostgresCase):
    server_settings = SETTINGS

    def setUp(self):
        super().setUp()
        self.table()

    def findings(self, plan=("instances", "url"), **options):
        store = self.store(**options)
        store.plan(*plan)
        store.resolve()
        return {(finding["subject"], finding["severity"]): finding["problem"] + "; " + finding["cure"]
                for finding in store("examine")["findings"]}

    def assert_finds(self, subject, *words, **options):
        text = self.findings(**options)[subject, "warning"]
        for word in words:
            self.assertIn(word, text)

    def test_nothing_but_a_reminder_about_a_plain_table(self):
        self.assertEqual(set(self.findings()), {("backups", "warning")})

    def test_a_trigger(self):
        self.sql("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
                 "CREATE TRIGGER on_url BEFORE UPDATE OF url ON instances FOR EACH ROW EXECUTE FUNCTION f(); "
                 "CREATE TRIGGER on_id BEFORE UPDATE OF id ON instances FOR EACH ROW EXECUTE FUNCTION f(); "
                 "CREATE TRIGGER on_insert BEFORE INSERT ON instances FOR EACH ROW EXECUTE FUNCTION f(); "
                 "CREATE TRIGGER off BEFORE UPDATE ON instances FOR EACH ROW EXECUTE FUNCTION f(); "
                 "ALTER TABLE instances DISABLE TRIGGER off")
        self.assert_finds("public.instances", "the triggers on_url run")

    def test_a_rule(self):
        self.sql("CREATE RULE also AS ON UPDATE TO instances DO ALSO NOTHING")
        self.assert_finds("public.instances", "the rules also change")

    def test_indexes_on_what_is_encrypted(self):
        self.sql("CREATE INDEX plain ON instances (url); CREATE INDEX expression ON instances (lower(url)); "
                 "CREATE INDEX condition ON instances (id) WHERE url <> ''; CREATE INDEX included ON instances (id) INCLUDE (url); "
                 "CREATE INDEX other ON instances (id)")
        self.assert_finds("public.instances", "the indexes condition, expression, included, plain are on")

    def test_partitions_are_spoken_of_once(self):
        self.sql("CREATE TABLE p (k int, v text) PARTITION BY LIST (k); CREATE INDEX ON p (v); " + "; ".join(
            f"CREATE TABLE p{i} PARTITION OF p FOR VALUES IN ({i})" for i in range(8)))
        self.assert_finds("public.p", "the indexes p0_v_idx, p1_v_idx, p2_v_idx, p3_v_idx, p4_v_idx and 3 more are",
                          plan=("p", "v"))

    def test_a_publication(self):
        self.sql("CREATE PUBLICATION feed FOR TABLE instances")
        self.assert_finds("public.instances", "publications feed")

    def test_a_slot_that_nobody_reads(self):
        self.sql("SELECT pg_create_physical_replication_slot('forgotten')")
        self.addCleanup(self.sql, "SELECT pg_drop_replication_slot('forgotten')")
        self.assert_finds("replication", "forgotten")

    def test_a_role_that_may_look_at_little_is_told_what_it_may_see(self):
        self.sql("CREATE INDEX plain ON instances (url)")
        self.assert_finds("public.instances", "plain", user=self.role())
        # It is not told where the server's files are.
        self.assert_finds("the server's disk", "MB", "see whether there is as much", user=self.role())


class Standbys(PostgresCase):
    server_settings = SETTINGS

    def setUp(self):
        super().setUp()
        self.table()
        self.standby = self.server.make_standby()
        self.addCleanup(self.standby.close)

    def test_a_standby_can_be_looked_at_and_not_rotated(self):
        store = self.store(address=self.standby.address())
        store.plan("instances", "url")
        store.resolve()
        errors = [finding for finding in store("examine")["findings"] if finding["severity"] == "error"]
        self.assertEqual([(error["subject"], error["cure"]) for error in errors],
                         [("the server", "connect to the primary server")])
        with self.assert_fails("configuration", cure="primary"):
            store.begin()
        store.begin(access="read-only")
        self.assertEqual([row[2] for row in store.rows("read", 0)], [b"A1", b"A2", b"A3"])
        primary = self.store()
        primary.plan("instances", "url")
        primary.resolve()
        self.assertIn("1 replicas", " ".join(finding["problem"] for finding in primary("examine")["findings"]))
        # Of several hosts it takes the one that was asked for.
        both = f"host={self.standby.host},{self.server.host} user=postgres dbname=postgres target_session_attrs=read-write"
        writer = self.store(address=both)
        self.assertIn(self.server.host, writer.description)
        writer.plan("instances", "url")
        writer.resolve()
        writer.begin()
        writer("rotate", 0, 10)
        self.assertEqual(writer("commit"), {"outcome": "committed"})


if __name__ == "__main__":
    main()
