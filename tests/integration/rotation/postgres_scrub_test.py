"""Old values are taken out of the files of tables, and where they cannot be, that is said."""
from postgres_case import PostgresCase, main


class Scrubbing(PostgresCase):
    def setUp(self):
        super().setUp()
        self.table(rows=500)

    def old_values_on_disk(self):
        self.sql("CHECKPOINT")
        return self.file().count(b"OLD-VALUE")

    def file(self):
        return (self.server.data / self.value("SELECT pg_relation_filepath('instances')")).read_bytes()

    def rotated(self, **options):
        self.sql("UPDATE instances SET url = 'OLD-VALUE ' || id")
        self.sql("VACUUM FULL instances")
        store = self.begun(**options)
        for locator, *_ in store.rows("read", 0):
            store.update(0, [locator, b"new"])
        store("commit")
        self.assertEqual(self.old_values_on_disk(), 500)
        return store

    def test_old_values_are_gone_from_the_file(self):
        store = self.rotated()
        self.assertEqual(store("scrub"), {"scrubbed": ["public.instances"]})
        self.assertEqual(self.old_values_on_disk(), 0)
        self.assertEqual(set(self.urls()), {"new"})

    def test_only_the_owner_may(self):
        store = self.rotated(user=self.role(select="instances", update="instances", create="SCHEMA public"))
        with self.assert_fails("not_permitted", "public.instances", cure='VACUUM FULL "public"."instances"'):
            store("scrub")
        self.assertEqual(self.old_values_on_disk(), 500)

    def test_an_old_transaction_that_might_still_look_is_spoken_of(self):
        watcher = self.connect()
        watcher.autocommit = False
        self.sql("CREATE TABLE other ()")
        with watcher.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT * FROM other")
        store = self.rotated()
        # Those that the rotation left behind, and those before them.
        with self.assert_fails("try_again", "1000 old versions of rows stay in the file of public.instances"):
            store("scrub")
        watcher.rollback()
        store("scrub")
        self.assertEqual(self.old_values_on_disk(), 0)

    def test_a_table_in_use_is_not_waited_for(self):
        store = self.rotated(PGOPTIONS="-c deadlock_timeout=10ms")
        reader = self.connect()
        reader.autocommit = False
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM instances")
        with self.assert_fails("try_again", "public.instances cannot be written anew"):
            store("scrub")


if __name__ == "__main__":
    main()
