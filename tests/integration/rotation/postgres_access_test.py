"""What a role may not do is said with its cure; what triggers and rules undo is noticed."""
from postgres_case import PostgresCase, main, psycopg2


class Permissions(PostgresCase):
    def setUp(self):
        super().setUp()
        self.table()

    def planned(self, user):
        store = self.store(user=user)
        store.plan("instances", "url")
        store.resolve()
        return store

    def assert_cured(self, store, error, access="write"):
        """What the error says to do is what is missing."""
        self.sql(error.exception.cure)
        store.begin(access=access)

    def test_writing(self):
        role = self.role(select="instances", create="SCHEMA public")
        store = self.planned(role)
        with self.assert_fails("not_permitted", f"the role {role} may not read and write public.instances",
                               cure=f'GRANT SELECT, UPDATE ON "public"."instances" TO {role}') as error:
            store.begin()
        self.assert_cured(store, error)

    def test_writing_to_a_partitioned_table_takes_rights_on_its_parts(self):
        self.sql("CREATE TABLE p (k int, url text) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p DEFAULT")
        role = self.role(**{"create": "SCHEMA public", "select": "p1", "update": "p1"})
        store = self.store(user=role)
        store.plan("p", "url")
        store.resolve()
        with self.assert_fails("not_permitted", "public.p") as error:
            store.begin()
        self.assert_cured(store, error)

    def test_a_rehearsal_lacks_what_writing_would_lack(self):
        role = self.role(select="instances")
        store = self.planned(role)
        store.begin(access="read-only")
        store("rollback")
        with self.assert_fails("not_permitted", "may not read and write public.instances") as error:
            store.begin(access="rehearsal")
        self.sql(error.exception.cure)
        with self.assert_fails("not_permitted", "may not make the audit table") as error:
            store.begin(access="rehearsal")
        self.assert_cured(store, error, "rehearsal")
        self.assertEqual(self.sql("SELECT mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE relname = 'instances' "
                                  "AND mode <> 'AccessShareLock'"), [])

    def test_a_rehearsal_beside_a_rotation_does_not_begin(self):
        self.begun()
        store = self.planned("postgres")
        store.begin(access="read-only")
        store("rollback")
        with self.assert_fails("try_again", "another rotation is at work"):
            store.begin(access="rehearsal")

    def test_another_table_of_the_audit_tables_name_is_noticed_before_anything_is_written(self):
        self.sql("CREATE TABLE qarion_secrets_rotations (id int, what text)")
        for access in ("write", "rehearsal"):
            with self.subTest(access), self.assert_fails(
                    "configuration", "public.qarion_secrets_rotations", "finished_at", cure="audit_table"):
                self.planned("postgres").begin(access=access)

    def test_reading(self):
        role = self.role(update="instances")
        store = self.planned(role)
        with self.assert_fails("not_permitted", f"the role {role} may not read public.instances") as error:
            store.begin(access="read-only")
        self.assert_cured(store, error, "read-only")

    def test_the_audit_table_that_is_not_there(self):
        role = self.role(select="instances", update="instances")
        store = self.planned(role)
        with self.assert_fails("not_permitted", "may not make the audit table public.qarion_secrets_rotations",
                               cure="CREATE TABLE") as error:
            store.begin()
        self.assert_cured(store, error)
        store("write-audit", "01")
        self.assertEqual(store("commit"), {"outcome": "committed"})
        self.assertEqual(store("find", "")["record"]["id"], "01")

    def test_the_audit_table_that_is_there(self):
        first = self.begun()
        first("write-audit", "01")
        first("commit")
        role = self.role(select="instances", update="instances")
        store = self.planned(role)
        with self.assert_fails("not_permitted", "may not write to the audit table public.qarion_secrets_rotations",
                               cure="GRANT SELECT, INSERT") as error:
            store.begin()
        self.assert_cured(store, error)

    def test_the_schema_of_the_audit_table_that_is_missing(self):
        store = self.store()
        store.plan("instances", "url")
        store("audit", "nowhere", "rotations")
        store.resolve()
        with self.assert_fails("configuration", "the schema nowhere of the audit table", cure="schema"):
            store.begin()

    POLICY = "ALTER TABLE instances ENABLE ROW LEVEL SECURITY; CREATE POLICY half ON instances USING (id > 1)"

    def test_rows_that_are_hidden_are_an_error(self):
        self.sql(self.POLICY)
        role = self.role(**{"select": "instances", "update": "instances", "create": "SCHEMA public"})
        with self.assert_fails("not_permitted", "row-level security hides rows of public.instances", role,
                               cure=f"ALTER ROLE {role} BYPASSRLS"):
            self.planned(role)
        self.sql(f"ALTER ROLE {role} BYPASSRLS")
        self.planned(role).begin()

    def test_rows_that_are_hidden_from_a_role_that_bypasses_it_are_there(self):
        self.sql(self.POLICY)
        role = self.role("BYPASSRLS", select="instances", update="instances", create="SCHEMA public")
        store = self.planned(role)
        store.begin()
        self.assertEqual(len(store.rows("read", 0)), 3)

    def test_rows_that_are_hidden_from_their_owner_are_an_error(self):
        role = self.role(create="SCHEMA public")
        self.sql(f"{self.POLICY}; ALTER TABLE instances FORCE ROW LEVEL SECURITY; ALTER TABLE instances OWNER TO {role}")
        with self.assert_fails("not_permitted", "row-level security"):
            self.planned(role)

    def test_rows_of_other_tables_that_are_hidden_are_an_error_of_the_search(self):
        self.sql("CREATE TABLE other (v text); ALTER TABLE other ENABLE ROW LEVEL SECURITY")
        role = self.role(select="ALL TABLES IN SCHEMA public", update="instances", create="SCHEMA public")
        store = self.planned(role)
        store.begin()
        with self.assert_fails("not_permitted", "public.other.v cannot be searched", "row-level security",
                               cure="--allow-unlisted"):
            store.rows("search", "public", "other", "v", "text", "A")


# Functions and operators of a schema that stands first in the search path, for all operands that the system has none
# for exactly; each fails.
BAIT = """
CREATE SCHEMA bait; GRANT USAGE ON SCHEMA bait TO public;
DO $do$ DECLARE
  kinds text[] := ARRAY['name', 'text', 'bpchar', 'varchar', '"char"', 'int2', 'int4', 'int8', 'float4', 'float8', 'oid',
    'regclass', 'bytea', 'numeric', 'tid', 'json', 'jsonb', 'timestamptz'];
  one text; two text; each text;
  body text := 'LANGUAGE plpgsql AS $b$BEGIN RAISE EXCEPTION $c$bait$c$; END$b$';
BEGIN
  FOREACH one IN ARRAY kinds || ARRAY['int2[]', 'text[]'] LOOP
    FOREACH each IN ARRAY ARRAY['quote_ident', 'lower', 'current_setting', 'cardinality', 'unnest', 'pg_relation_size',
        'pg_total_relation_size', 'to_regclass', 'txid_status', 'has_table_privilege', 'pg_try_advisory_xact_lock', 'count']
    LOOP EXECUTE format('CREATE FUNCTION bait.%I(%s) RETURNS int %s', each, one, body); END LOOP;
  END LOOP;
  FOREACH one IN ARRAY kinds LOOP FOREACH two IN ARRAY kinds LOOP
    EXECUTE format('CREATE FUNCTION bait.op(%s, %s) RETURNS bool %s', one, two, body);
    FOREACH each IN ARRAY ARRAY['strpos', 'position', 'convert_to', 'to_char', 'has_table_privilege',
        'has_schema_privilege', 'format_type', 'timezone', 'string_agg']
    LOOP EXECUTE format('CREATE FUNCTION bait.%I(%s, %s) RETURNS int %s', each, one, two, body); END LOOP;
    FOREACH each IN ARRAY ARRAY['/', '*', '+', '-', '&', '>>', '=', '<>', '<', '>', '||'] LOOP
      IF NOT EXISTS (SELECT 1 FROM pg_operator WHERE oprname = each AND oprleft = one::regtype AND oprright = two::regtype)
      THEN EXECUTE format('CREATE OPERATOR bait.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = bait.op)', each, one, two);
      END IF;
    END LOOP;
  END LOOP; END LOOP;
  EXECUTE 'CREATE FUNCTION bait.set_config(text, text, bool) RETURNS text ' || body;
END $do$"""


class SearchPaths(PostgresCase):
    server_settings = {"max_locks_per_transaction": 2000}  # for the end of all that

    def test_functions_and_operators_that_others_may_make_are_not_run(self):
        self.sql("CREATE TABLE documents (n int NOT NULL UNIQUE, v jsonb, b bytea, c varchar(9)); CREATE INDEX ON documents (c); "
                 "INSERT INTO documents VALUES (1, '\"A1\"', 'A2', 'A3'); ANALYZE documents; "
                 "CREATE TRIGGER tr BEFORE UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger(); "
                 "CREATE TABLE parts (v text) PARTITION BY LIST (v); CREATE TABLE part PARTITION OF parts DEFAULT")
        self.sql(BAIT)
        role = self.role(create="SCHEMA public")
        self.sql(f"ALTER TABLE documents OWNER TO {role}; ALTER ROLE {role} SET search_path = bait, public")
        for wrong in ("quote_ident(relname)", "reltuples / relpages", "oid = 1"):
            with self.assertRaisesRegex(psycopg2.Error, "bait"):
                self.sql(f"SELECT {wrong} FROM pg_class WHERE relpages > 0", user=role)
        store = self.store(user=role)
        store.plan("documents", ("v", "json"), ("b", "bytes"), "c", schema="public", key=["n"])
        store("audit", "public", "rotations")
        store.resolve()
        found = " ".join(finding["problem"] for finding in store("examine")["findings"])
        self.assertIn("triggers tr run", found)
        self.assertIn("indexes documents_c_idx are", found)
        self.assertIn(["public.documents.v", "jsonb", "", "json"], store("columns")["columns"])
        store.begin()
        [[locator, *_]] = store.rows("read", 0)
        self.assertEqual(store("name", 0, locator)["name"], "n=1")
        store("rotate", 0, 10)
        [[locator, *_]] = store.rows("read-back", 0)
        for column, shape in (("v", "json"), ("b", "bytes"), ("c", "text")):
            self.assertEqual(len(store.rows("search", "public", "documents", column, shape, "B")), 1)
        store("constraints")
        store("write-audit", "cdef")
        self.assertEqual(store("commit"), {"outcome": "committed"})
        self.assertEqual(store("find", "cdef")["record"]["id"], "cdef")
        self.assertFalse(store("busy")["busy"])
        unnamed = self.store(user=role)
        unnamed.plan("documents", "c", schema="public")
        unnamed.resolve()
        unnamed.begin(access="read-only")
        self.assertEqual(unnamed("name", 0, locator)["name"], "n=1")
        unnamed("rollback")
        store("scrub")
        missing = self.store(user=role)
        missing.plan("Documents", "c", schema="public")
        with self.assert_fails("configuration", cure="did you mean public.documents?"):
            missing.resolve()

    def test_who_holds_a_lock_is_found_without_them(self):
        self.table()
        self.sql(BAIT)
        role = self.role(**{"all": "instances", "create": "SCHEMA public"})
        self.sql(f"ALTER ROLE {role} SET search_path = bait, public")
        writer = self.connect()
        writer.autocommit = False
        writer.cursor().execute("UPDATE instances SET url = '' WHERE id = 2")
        store = self.store(user=role)
        store.plan("instances", "url", schema="public")
        store("audit", "public", "rotations")
        store.resolve()
        with self.assert_fails("try_again", f"process {writer.info.backend_pid}"):
            store.begin(lock_timeout_ms=0)



class Databases(PostgresCase):
    def test_one_whose_name_looks_like_a_setting_is_not_taken_for_one(self):
        self.sql('CREATE DATABASE "user=nobody"')
        self.addCleanup(self.sql, 'DROP DATABASE "user=nobody" WITH (FORCE)')
        self.addCleanup(setattr, self, "database", "postgres")
        self.database = "user=nobody"
        self.table()
        store = self.store(address=f"host={self.server.host} user=postgres dbname='user=nobody'")
        store.plan("instances", "url")
        store.resolve()
        store.begin()
        self.assertEqual(len(store.rows("read", 0)), 3)

    def test_a_column_that_is_generated_is_none_to_search(self):
        """It follows the column that it is generated from."""
        self.table(extra=", again text GENERATED ALWAYS AS (url || '!') STORED")
        self.assertEqual([name for name, *_ in self.store()("columns")["columns"]], ["public.instances.url"])


class Triggers(PostgresCase):
    def setUp(self):
        super().setUp()
        self.table(extra=", changed int DEFAULT 0")

    def trigger(self, body, when="BEFORE UPDATE ON instances FOR EACH ROW"):
        self.sql(f"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$; "
                 f"CREATE TRIGGER tr {when} EXECUTE FUNCTION f()")

    def assert_update_fails(self, code, *words, cure=()):
        store = self.begun()
        with self.assert_fails(code, "public.instances cannot be updated", *words, cure=cure) as error:
            store("rotate", 0, 10)
        store("rollback")
        self.assertEqual(self.urls(), ["A1", "A2", "A3"])
        return str(error.exception)

    def test_one_that_changes_other_columns_runs(self):
        self.trigger("NEW.changed := OLD.changed + 1; RETURN NEW;")
        store = self.begun()
        store("rotate", 0, 10)
        store("commit")
        self.assertEqual(self.sql("SELECT url, changed FROM instances ORDER BY id"), [("B1", 1), ("B2", 1), ("B3", 1)])

    def test_a_commit_is_on_disk_before_it_is_told_whatever_the_role_does_else(self):
        self.trigger("NEW.seen := current_setting('synchronous_commit'); RETURN NEW;")
        self.sql("ALTER TABLE instances ADD seen text")
        for setting, seen in (("off", "on"), ("local", "local")):
            with self.subTest(setting):
                store = self.begun(PGOPTIONS=f"-c synchronous_commit={setting}")
                store("rotate", 0, 10)
                store("commit")
                self.assertEqual(self.value("SELECT DISTINCT seen FROM instances"), seen)

    def test_one_that_skips_rows_is_noticed(self):
        self.trigger("IF OLD.id = 2 THEN RETURN NULL; END IF; RETURN NEW;")
        self.assert_update_fails("internal", "of 3 rows 2 were updated", cure="trigger")

    def test_one_that_moves_other_rows_is_noticed(self):
        self.trigger("IF OLD.id = 1 THEN UPDATE instances SET changed = 1 WHERE id = 3; END IF; RETURN NEW;")
        self.assert_update_fails("bad_data", "already modified", cure="trigger")

    def test_one_that_moves_rows_of_a_later_batch_is_noticed(self):
        self.trigger("IF OLD.id = 1 THEN UPDATE instances SET changed = 1 WHERE id = 3; END IF; RETURN NEW;")
        store = self.begun()
        with self.assert_fails("internal", "of 1 rows 0 were updated"):
            store("rotate", 0, 1)

    def test_what_one_says_is_not_repeated(self):
        self.trigger("RAISE EXCEPTION 'never %', NEW.url;")
        text = self.assert_update_fails("bad_data", "f()", "P0001")
        self.assertNotIn("B1", text)

    def test_what_one_says_under_a_state_of_its_own_is_not_repeated(self):
        self.trigger("RAISE EXCEPTION 'never %', NEW.url USING ERRCODE = '45000';")
        text = self.assert_update_fails("bad_data", "f()", "45000")
        self.assertNotIn("B1", text)

    def test_what_one_says_under_a_state_of_the_servers_is_not_repeated(self):
        self.trigger("RAISE insufficient_privilege USING MESSAGE = 'never ' || NEW.url;")
        text = self.assert_update_fails("not_permitted", "f()", "42501")
        self.assertNotIn("B1", text)

    def test_a_rule_that_does_nothing_instead_is_noticed(self):
        self.sql("CREATE RULE nothing AS ON UPDATE TO instances DO INSTEAD NOTHING")
        self.assert_update_fails("internal", "of 3 rows 0 were updated", cure="rule")

    def test_a_constraint_is_named_and_the_value_is_not(self):
        self.sql("ALTER TABLE instances ADD CONSTRAINT never_b CHECK (url NOT LIKE 'B%')")
        text = self.assert_update_fails("bad_data", "constraint never_b")
        self.assertNotIn("B1", text)

    def test_a_unique_index_is_named_and_the_value_is_not(self):
        self.sql("INSERT INTO instances VALUES (4, 'B1'); CREATE UNIQUE INDEX one_url ON instances (url)")
        store = self.begun()
        with self.assert_fails("bad_data", "one_url") as error:
            store("rotate", 0, 10)
        self.assertNotIn("B1", str(error.exception))

    def test_a_value_that_is_no_json_is_not_repeated(self):
        self.sql("CREATE TABLE t (v jsonb); INSERT INTO t VALUES ('{}')")
        store = self.begun(("v", "json"), table="t")
        [[locator, *_]] = store.rows("read", 0)
        store.update(0, [locator, b"{secret}"])
        with self.assert_fails("bad_data", "public.t") as error:
            store("finish")
        self.assertNotIn("secret", str(error.exception))


if __name__ == "__main__":
    main()
