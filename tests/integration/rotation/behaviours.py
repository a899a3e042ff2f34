"""What a rotation does in every database: mixed into the case of each."""
import base64
import json
import os
import resource
import stat
import subprocess
import unittest

from rotation_case import PLAN, SANITIZED, Fernet, MultiFernet, fingerprint

TEXT_PLAN = '[[table]]\nname = "{table}"\n  [[table.column]]\n  name = "{column}"\n  {more}\n'


class Behaviours:
    def test_every_value_moves_to_the_new_key_and_keeps_its_time(self):
        self.make_tables()
        report = self.rotate()
        self.assertEqual(report["outcome"], "committed")
        self.assert_rotated()
        urls = self.counts(report, "instances.database_url")
        self.assertEqual({name: urls[name] for name in ("rows", "rotated", "null", "empty", "current", "problems")},
                         {"rows": 7, "rotated": 5, "null": 1, "empty": 1, "current": 0, "problems": 0})
        self.assertEqual(self.counts(report, "export_configs.credentials")["rotated"], 2)

    def test_it_gives_what_multifernet_gives(self):
        self.make_tables()
        oracle = MultiFernet([Fernet(self.new), Fernet(self.old)])
        expected = {number: oracle.rotate(token.encode()) for number, token in self.url_tokens().items()}
        self.rotate()
        for number, token in self.url_tokens().items():
            self.assertEqual(self.plaintext(token), Fernet(self.new).decrypt(expected[number]).decode())
            self.assertEqual(self.timestamp(token), Fernet(self.new).extract_timestamp(expected[number]))
            self.assertEqual(len(token), len(expected[number]))

    def test_keys_are_named_by_fingerprints_and_where_they_are_from(self):
        self.make_tables()
        result = self.run_rotate("--yes")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"new key {fingerprint(self.new)} of INSTANCE_ENCRYPTION_KEY\n", result.stderr)
        self.assertIn(f"old key {fingerprint(self.old)} of INSTANCE_ENCRYPTION_KEY_PREVIOUS\n", result.stderr)
        self.assertRegex(result.stdout, r"instances\.database_url +7 +5 +0 ")
        self.assertIn("committed: the new key opens every value of the plan, no old key opens any of them", result.stdout)

    def test_a_second_run_changes_nothing(self):
        self.make_tables()
        self.rotate()
        before = self.database.dump()
        report = self.rotate()
        self.assertEqual(report["outcome"], "nothing_to_do")
        self.assertEqual(self.counts(report, "instances.database_url")["current"], 5)
        self.assertEqual(self.database.dump(), before)

    def test_a_dry_run_says_all_and_changes_nothing(self):
        self.make_tables()
        before = self.database.dump()
        report = self.rotate("--dry-run")
        self.assertEqual(report["outcome"], "dry_run")
        self.assertEqual(self.counts(report, "instances.database_url")["rotated"], 5)
        self.assertEqual(self.database.dump(), before)

    def test_other_columns_keep_every_byte(self):
        self.make_tables()
        untouched = "SELECT id, name FROM instances ORDER BY id", "SELECT id, note FROM export_configs ORDER BY id"
        before = [self.database.rows(query) for query in untouched]
        self.rotate()
        self.assertEqual([self.database.rows(query) for query in untouched], before)

    def test_a_value_in_the_last_table_that_no_key_opens_keeps_the_first_as_it_was(self):
        self.make_tables()
        lost = {"password": self.token("fake", self.other)}
        self.database.insert("export_configs", id=9, credentials=json.dumps(lost), note="lost")
        result = self.assert_fails(65, "export_configs id=9, credentials $.*: signed with none of the keys",
                                   "1 value could not be rotated; nothing was changed")
        self.assertNotIn(lost["password"], result.stderr)

    def test_all_values_that_stand_in_the_way_are_listed(self):
        self.make_tables()
        self.database.insert("instances", id=20, name="other key", database_url=self.token("fake", self.other))
        self.database.insert("instances", id=21, name="plaintext", database_url="fake-plaintext-url")
        self.database.insert("instances", id=22, name="cut off", database_url=self.token("fake")[:-4])
        nested = self.token(self.token("fake"))
        self.database.insert("instances", id=23, name="nested", database_url=nested)
        self.database.insert("export_configs", id=20, credentials=json.dumps({"port": 5432}), note="a number")
        result = self.assert_fails(65, "instances id=20, database_url: signed with none of the keys",
                                   "instances id=21, database_url: is no token", "instances id=22, database_url: ",
                                   "instances id=23, database_url: was encrypted twice",
                                   "export_configs id=20, credentials $.*: ",
                                   "5 values could not be rotated; nothing was changed")
        self.assertNotIn("fake-plaintext-url", result.stderr)

    def test_one_bad_string_keeps_its_whole_document(self):
        self.make_tables()
        self.database.insert("export_configs", id=9, credentials=json.dumps(
            {"good": self.token("fake"), "bad": self.token("fake", self.other)}), note="half")
        self.assert_fails(65, "export_configs id=9")

    def test_several_old_keys_heal_a_mixed_database(self):
        self.make_tables()
        self.database.insert("instances", id=30, name="mixed", database_url=self.token("fake-mixed", self.other))
        keys = self.write("keys", f"{self.old}\n{self.other}\n")
        report = self.rotate("--old-key-file", keys)
        self.assertEqual(report["old_keys"], [fingerprint(self.old), fingerprint(self.other)])
        self.assert_rotated()
        self.assertEqual(self.plaintext(self.database.rows("SELECT database_url FROM instances WHERE id = 30")[0][0]),
                         "fake-mixed")

    def test_a_wrong_old_key_is_said_to_be_wrong(self):
        self.make_tables()
        self.assert_fails(65, "could be opened; nothing was changed", fingerprint(self.other),
                          INSTANCE_ENCRYPTION_KEY_PREVIOUS=self.other)

    def test_no_token_at_all_is_an_error_unless_it_is_allowed(self):
        self.database.execute("CREATE TABLE instances (id integer PRIMARY KEY, database_url text)")
        self.database.execute("CREATE TABLE export_configs (id integer PRIMARY KEY, credentials "
                              f"{self.database.json_type})")
        self.assert_fails(65, "the plan's columns hold no token at all", "--allow-empty")
        self.assertEqual(self.rotate("--allow-empty")["outcome"], "nothing_to_do")

    def test_tokens_that_the_plan_does_not_list_are_an_error_unless_they_are_allowed(self):
        self.make_tables()
        self.database.execute("CREATE TABLE webhooks (id integer PRIMARY KEY, body text)")
        self.database.insert("webhooks", id=1, body="secret=" + self.token("fake-hook") + ";")
        self.database.insert("webhooks", id=2, body="secret=" + self.token("fake-hook", self.other) + ";")
        self.assert_fails(65, "webhooks.body (1)", "--discover", "--allow-unlisted")
        self.assertEqual(self.rotate("--allow-unlisted")["outcome"], "committed")

    def test_tokens_at_paths_that_the_plan_does_not_list_are_an_error(self):
        self.make_tables()
        document = {"list": {"deep": self.token("fake-deep")}, "password": self.token("fake")}
        self.database.insert("export_configs", id=9, credentials=json.dumps(document), note="deep")
        plan = PLAN.replace('"$.*"', '"$.password", "$.key"')
        self.assert_fails(65, "export_configs.credentials", "(1)", plan=plan)
        self.rotate(plan=plan.replace('"$.key"', '"$.key", "$.list.deep"'))

    def test_rows_that_where_leaves_out_are_an_error_while_they_hold_tokens_of_the_old_key(self):
        self.make_tables()
        plan = PLAN.replace('name = "instances"', 'name = "instances"\nwhere = "id <> 3"')
        self.assert_fails(65, "instances.database_url", plan=plan)
        self.database.execute("UPDATE instances SET database_url = 'fake-plaintext' WHERE id = 3")
        report = self.rotate(plan=plan)
        self.assertEqual(self.counts(report, "instances.database_url")["excluded"], 1)
        self.assertEqual(self.database.rows("SELECT database_url FROM instances WHERE id = 3"), [("fake-plaintext",)])

    def test_plaintext_is_left_or_encrypted_where_the_plan_says_so(self):
        self.make_tables()
        self.database.insert("instances", id=40, name="plaintext", database_url="fake-plaintext")
        before = 'name = "database_url"\n'
        report = self.rotate(plan=PLAN.replace(before, before + '  plaintext = "skip"\n'))
        self.assertEqual(self.counts(report, "instances.database_url")["plaintext"], 1)
        query = "SELECT database_url FROM instances WHERE id = 40"
        self.assertEqual(self.database.rows(query), [("fake-plaintext",)])
        report = self.rotate(plan=PLAN.replace(before, before + '  plaintext = "encrypt"\n'))
        self.assertEqual(self.counts(report, "instances.database_url")["encrypted"], 1)
        self.assertEqual(self.plaintext(self.database.rows(query)[0][0]), "fake-plaintext")

    def test_old_tokens_inside_of_plaintext_that_is_skipped_may_be_left_behind_knowingly(self):
        self.make_tables()
        self.database.insert("instances", id=41, name="note", database_url="see " + self.token("fake"))
        skip = PLAN.replace('name = "database_url"\n', 'name = "database_url"\n  plaintext = "skip"\n')
        self.assert_fails(65, "at other places of the value", plan=skip)
        self.rotate("--allow-unlisted", plan=skip)

    def test_a_prefix_stays(self):
        self.database.execute("CREATE TABLE t (id integer PRIMARY KEY, c text)")
        self.database.insert("t", id=1, c="enc:" + self.token("fake"))
        self.rotate(plan=TEXT_PLAN.format(table="t", column="c", more='prefix = "enc:"'))
        value = self.database.rows("SELECT c FROM t")[0][0]
        self.assertTrue(value.startswith("enc:"))
        self.assertEqual(self.plaintext(value[4:]), "fake")

    def test_bytes_stay_bytes(self):
        self.database.execute(f"CREATE TABLE t (id integer PRIMARY KEY, c {self.database.bytes_type})")
        self.database.insert("t", id=1, c=self.token("fake").encode())
        self.rotate(plan=TEXT_PLAN.format(table="t", column="c", more='shape = "bytea"'))
        self.assertEqual(self.plaintext(bytes(self.database.rows("SELECT c FROM t")[0][0]).decode()), "fake")

    def test_a_document_changes_at_its_paths_alone(self):
        self.database.execute("CREATE TABLE t (id integer PRIMARY KEY, c text)")
        before = ('{ "a" : [1e3, {"x":"%s"}],\t"dup":1, "dup":2, "s":"\\u00e9\\/", "empty":"", "none":null,'
                  '"big":12345678901234567890.0 }')
        token = self.token("fake")
        self.database.insert("t", id=1, c=before % token)
        self.rotate(plan=TEXT_PLAN.format(table="t", column="c", more='shape = "json"\n  paths = ["$.a[*].x"]'))
        after = self.database.rows("SELECT c FROM t")[0][0]
        begin = before.index("%s")
        self.assertEqual(after[:begin] + "%s" + after[begin + len(token):], before)
        self.assertEqual(self.plaintext(after[begin:begin + len(token)]), "fake")

    def test_a_document_that_is_one_string_is_rotated(self):
        self.database.execute(f"CREATE TABLE t (id integer PRIMARY KEY, c {self.database.json_type})")
        self.database.insert("t", id=1, c=json.dumps(self.token("fake")))
        self.rotate(plan=TEXT_PLAN.format(table="t", column="c", more='shape = "json"\n  paths = ["$"]'))
        self.assertEqual(self.plaintext(json.loads(self.database.rows("SELECT CAST(c AS text) FROM t")[0][0])), "fake")

    def test_a_table_without_a_key_is_rotated(self):
        self.database.execute("CREATE TABLE t (c text)")
        for _ in range(3):
            self.database.insert("t", c=self.token("fake"))
        report = self.rotate(plan=TEXT_PLAN.format(table="t", column="c", more=""))
        self.assertEqual(self.counts(report, "t.c")["rotated"], 3)

    def test_names_of_any_characters_are_the_database_s_own(self):
        self.database.execute('CREATE TABLE "Tab le""é" ("k""1" integer, "K 2" text, "c;--é" text, '
                              'PRIMARY KEY ("k""1", "K 2"))')
        columns = {'k"1': 1, "K 2": "it's", "c;--é": self.token("fake")}
        self.database.insert('Tab le"é', **columns)
        self.database.insert('Tab le"é', **{**columns, 'k"1': 2, "c;--é": "gAAAAA"})
        plan = """[[table]]\nname = '"Tab le""é"'\n  [[table.column]]\n  name = "c;--é"\n"""
        self.assert_fails(65, """k"1=2""", "it''s", plan=plan)
        self.database.execute("""DELETE FROM "Tab le""é" WHERE "k""1" = 2""")
        self.rotate(plan=plan)
        self.assertEqual(self.plaintext(self.database.rows('SELECT "c;--é" FROM "Tab le""é"')[0][0]), "fake")

    def test_what_the_plan_names_and_the_database_has_not_is_said_before_any_write(self):
        self.make_tables()
        missing_column = PLAN.replace('name = "credentials"', 'name = "credential"')
        self.assert_fails(78, "export_configs", "credential", plan=missing_column)
        self.assert_fails(78, "export_config", plan=PLAN.replace('"export_configs"', '"export_config"'))

    def test_a_plan_that_cannot_be_read_is_said_with_its_line(self):
        self.make_tables()
        self.assert_fails(78, "plan.toml", "3", plan='[[table]]\nname = "instances"\nwere = "x"\n')
        self.assert_fails(78, "no-such-plan", plan=None, arguments=("--yes", "--plan", "no-such-plan"))
        self.assert_fails(78, "larger than the limit of 1048576 bytes", plan="#" * (1 << 20) + "\n")

    def test_a_generated_key_is_on_the_disk_before_anything_changes(self):
        self.make_tables()
        path = self.directory / "new.key"
        report = self.rotate("--generate", path, INSTANCE_ENCRYPTION_KEY=self.old, INSTANCE_ENCRYPTION_KEY_PREVIOUS=None)
        key = path.read_text().strip()
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(report["new_key"], fingerprint(key))
        self.assert_rotated(key)

    def test_a_generated_key_overwrites_nothing_and_has_to_be_written(self):
        self.make_tables()
        self.write("there.key", "precious")
        backend = {"INSTANCE_ENCRYPTION_KEY": self.old, "INSTANCE_ENCRYPTION_KEY_PREVIOUS": None}
        self.assert_fails(78, "there.key", arguments=("--yes", "--generate", self.directory / "there.key"), **backend)
        self.assertEqual((self.directory / "there.key").read_text(), "precious")
        self.assert_fails(78, "nowhere", arguments=("--yes", "--generate", self.directory / "nowhere" / "k"), **backend)

    @unittest.skipIf(SANITIZED, "sanitizers write files of their own")
    def test_no_generated_key_is_left_where_no_file_may_grow(self):
        self.make_tables()
        path = self.directory / "new.key"
        result = subprocess.run(
            self.command("--yes", "--generate", path, "--plan", self.write("plan.toml", PLAN)), text=True,
            capture_output=True, stdin=subprocess.DEVNULL, cwd=self.directory,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
            env=self.environment(INSTANCE_ENCRYPTION_KEY=self.old, INSTANCE_ENCRYPTION_KEY_PREVIOUS=None))
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertIn("new.key': File too large", result.stderr)
        self.assertFalse(path.exists())
        self.assert_as_it_was()

    @unittest.skipIf(SANITIZED, "sanitizers take terabytes of addresses")
    def test_where_memory_runs_out_it_says_so_and_changes_nothing(self):
        self.make_tables()
        self.database.insert("instances", id=60, name="large", database_url=self.token("x" * (30 << 20)))
        statuses = set()
        for mebibytes in range(60, 300, 40):
            result = subprocess.run(
                self.command("--yes", "--plan", self.write("plan.toml", PLAN)), text=True, capture_output=True,
                stdin=subprocess.DEVNULL, cwd=self.directory, env=self.environment(),
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20)))
            statuses.add(result.returncode)
            # The client of the database says it in its own way, and then nothing is open.
            words = {74: "memory ran out\n  to mend it: give this process more memory", 69: "memory"}
            self.assertIn(words.get(result.returncode, "none"), result.stderr)
        self.assertIn(74, statuses)
        self.assert_as_it_was()

    def test_a_dry_run_writes_no_key(self):
        self.make_tables()
        path = self.directory / "new.key"
        self.rotate("--dry-run", "--generate", path, INSTANCE_ENCRYPTION_KEY=self.old,
                    INSTANCE_ENCRYPTION_KEY_PREVIOUS=None)
        self.assertFalse(path.exists())

    def test_keys_that_will_not_do_are_refused(self):
        self.make_tables()
        halves = [base64.urlsafe_b64decode(key) for key in (self.old, self.other)]
        shared = base64.urlsafe_b64encode(halves[0][:16] + halves[1][16:]).decode()
        self.assert_fails(78, "is one of the old keys too", INSTANCE_ENCRYPTION_KEY=self.old)
        self.assert_fails(78, "has one half in common", INSTANCE_ENCRYPTION_KEY=shared)
        self.assert_fails(78, "is SECRET_KEY too", SECRET_KEY=self.new)
        self.assert_fails(78, INSTANCE_ENCRYPTION_KEY="A" * 43 + "=")
        self.assert_fails(78, INSTANCE_ENCRYPTION_KEY="cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
        self.assert_fails(78, "INSTANCE_ENCRYPTION_KEY_PREVIOUS", INSTANCE_ENCRYPTION_KEY_PREVIOUS="short")
        self.assert_fails(78, "there is no new key", INSTANCE_ENCRYPTION_KEY=None)
        self.assert_fails(78, "there is no old key", INSTANCE_ENCRYPTION_KEY_PREVIOUS=None)

    def test_key_files_may_end_in_one_line_break_and_nothing_else(self):
        self.make_tables()
        old = self.write("old.key", self.old + "\n")
        for text in (self.new + "\n\n", self.new + " ", "\t" + self.new, "", "\n"):
            path = self.write("new.key", text)
            self.assert_fails(78, "new.key", arguments=("--yes", "--old-key-file", old, "--new-key-file", path))
        self.assert_fails(78, "gone.key", arguments=("--yes", "--old-key-file", old, "--new-key-file", "gone.key"))
        self.rotate("--old-key-file", old, "--new-key-file", self.write("new.key", self.new + "\r\n"))
        self.assert_rotated()

    def test_a_report_that_cannot_be_written_loses_nothing(self):
        self.make_tables()
        path = self.directory / "new.key"
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                self.command("--yes", "--generate", path, "--plan", self.write("plan.toml", PLAN)), stdout=full,
                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=self.directory,
                env=self.environment(INSTANCE_ENCRYPTION_KEY=self.old, INSTANCE_ENCRYPTION_KEY_PREVIOUS=None))
        self.assertEqual(result.returncode, 74, result.stderr)
        self.assert_rotated(path.read_text().strip())

    def test_altered_base64_is_refused_or_read_leniently_and_mended(self):
        self.make_tables()
        token = self.token("fake")
        forms = {50: token + "\n", 51: token.replace("-", "+").replace("_", "/"), 52: token.rstrip("=")}
        forms = {number: form for number, form in forms.items() if form != token}
        for number, form in forms.items():
            self.database.insert("instances", id=number, name="altered", database_url=form)
        self.assert_fails(65, *(f"instances id={number}" for number in forms))
        report = self.rotate("--lenient")
        self.assertEqual(self.counts(report, "instances.database_url")["lenient"], len(forms))
        for number in forms:
            value = self.database.rows(f"SELECT database_url FROM instances WHERE id = {number}")[0][0]
            self.assertEqual(self.plaintext(value), "fake")
            self.assertEqual(value, value.strip())

    def test_without_a_terminal_it_has_to_be_confirmed_by_an_option(self):
        self.make_tables()
        self.assert_fails(64, "--yes", arguments=())

    def test_verify_counts_each_key_and_names_what_none_opens(self):
        self.make_tables()
        self.database.insert("instances", id=60, name="new", database_url=self.token("fake", self.new))
        self.database.insert("instances", id=61, name="lost", database_url=self.token("fake", self.other))
        result = self.run_rotate("verify", "--output", "json")
        self.assertEqual(result.returncode, 65)
        self.assertIn("instances id=61, database_url: signed with none of the keys", result.stderr)
        self.assertIn("8 values do not open with the new key", result.stderr)
        usage = self.counts(json.loads(result.stdout), "instances.database_url")
        self.assertEqual(usage["by_key"], {fingerprint(self.new): 1, fingerprint(self.old): 5})
        self.assertEqual(usage["problems"], 1)

    def test_verify_says_of_one_value_that_it_does_not_open(self):
        self.make_tables()
        self.rotate()
        self.database.insert("instances", id=60, name="old", database_url=self.token("fake"))
        self.assertIn("error: 1 value does not open with the new key", self.run_rotate("verify").stderr)

    def test_verify_needs_no_old_key_afterwards_and_tells_the_rotation(self):
        self.make_tables()
        report = self.rotate()
        found = self.verify(INSTANCE_ENCRYPTION_KEY_PREVIOUS=None)
        self.assertEqual(found["rotation"]["id"], report["rotation"])
        self.assertEqual(found["rotation"]["new_key"], fingerprint(self.new))
        self.verify("--rotation", report["rotation"])
        self.verify("--rotation", "0" * 32, status=65)

    def test_verify_of_a_database_without_tokens_is_an_error_unless_it_is_allowed(self):
        self.make_tables()
        self.database.execute("DELETE FROM instances")
        self.database.execute("DELETE FROM export_configs")
        self.verify(status=65)
        self.verify("--allow-empty")

    def test_verify_finds_what_the_plan_does_not_list(self):
        self.make_tables()
        self.rotate()
        self.database.execute("CREATE TABLE webhooks (id integer PRIMARY KEY, body text)")
        self.database.insert("webhooks", id=1, body="secret=" + self.token("fake-hook"))
        found = self.verify(status=65)
        self.assertEqual(list(found["unlisted"].values()), [1])

    def test_an_option_without_a_value_takes_no_other_for_it(self):
        self.make_tables()
        self.assert_fails(64, arguments=("--yes", "--generate=", "--dry-run"))
        self.assert_fails(64, arguments=("--yes", "--generate", ""))
        self.assert_fails(64, arguments=("verify", "--generate", "next.key"))

    def test_a_reader_that_goes_away_is_told_by_the_status(self):
        self.make_tables()
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run(self.command("--yes", "--plan", self.write("plan.toml", PLAN)), stdout=writer,
                                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=self.directory,
                                env=self.environment())
        os.close(writer)
        self.assertEqual(result.returncode, 74, result.stderr)
        self.assert_rotated()

    def test_tokens_with_something_around_them_are_not_encrypted_once_more(self):
        self.make_tables()
        self.database.insert("instances", id=41, name="prefix", database_url="enc:" + self.token("fake"))
        before = 'name = "database_url"\n'
        self.assert_fails(65, "instances id=41", plan=PLAN.replace(before, before + '  plaintext = "encrypt"\n'))

    def test_an_empty_plan_is_no_plan(self):
        self.make_tables()
        self.assert_fails(78, "plan.toml", plan="")

    def test_status_tells_the_latest_rotation(self):
        self.make_tables()
        before = self.run_rotate("status", "--output", "json")
        self.assertEqual(before.returncode, 0, before.stderr)
        self.assertIsNone(json.loads(before.stdout)["latest"])
        report = self.rotate()
        after = json.loads(self.run_rotate("status", "--output", "json").stdout)
        self.assertEqual(after["latest"]["id"], report["rotation"])
        self.assertFalse(after["running"])

    def test_status_needs_no_key_and_no_plan_that_fits(self):
        self.make_tables()
        no_keys = {"INSTANCE_ENCRYPTION_KEY": None, "INSTANCE_ENCRYPTION_KEY_PREVIOUS": None}
        plan = PLAN.replace('name = "instances"', 'name = "missing"')
        result = self.run_rotate("status", "--output", "json", plan=plan, **no_keys)
        self.assertEqual(result.returncode, 0, result.stderr)
        status = json.loads(result.stdout)
        self.assertIn("missing", status["plan_problem"])
        self.assertEqual((status["tables"], status["step"]), ([], None))
        self.assertEqual(status["keys"], {name: None for name in no_keys})
        broken = self.run_rotate("status", plan=plan, INSTANCE_ENCRYPTION_KEY="fake-key")
        self.assertIn("next        mend the key: INSTANCE_ENCRYPTION_KEY has 8 characters", broken.stdout)

    def test_status_names_the_step_of_a_rotation_without_an_outage(self):
        """The table of the guide: what the two settings are at each step."""
        self.make_tables()
        third = Fernet.generate_key().decode()

        def step(current, previous):
            result = self.run_rotate("status", "--output", "json", INSTANCE_ENCRYPTION_KEY=current,
                                     INSTANCE_ENCRYPTION_KEY_PREVIOUS=previous)
            return json.loads(result.stdout)["step"]
        self.assertEqual(step(self.old, None), 0)
        self.assert_fails(64, "--new-key-file", arguments=("status", "--new-key-file", "other.key"))
        self.assertIsNone(step(self.new, self.old))  # nothing is on record
        self.rotate()
        self.assertEqual([step(self.new, self.old), step(self.new, None)], [4, 0])
        self.assertEqual([step(self.new, third), step(third, self.new)], [1, 2])
        self.assertIsNone(step(self.old, self.new))  # which would be rotated back
        self.assertIsNone(step(third, None))

    def test_tokens_with_escapes_of_json_in_them_are_found(self):
        self.make_tables()
        self.database.execute("CREATE TABLE hooks (id integer PRIMARY KEY, body text, doc json)")
        tokens = [self.token("fake-hook") for _ in range(2)]
        self.database.insert("hooks", id=1, body='log: {"a":"\\u0067%s"}' % tokens[0][1:])
        self.database.insert("hooks", id=2, doc='{"a":"g\\u0041%s"}' % tokens[1][2:])
        self.assert_fails(65, "hooks.body (1)", "hooks.doc (1)")
        self.database.execute("DELETE FROM hooks WHERE id = 1")
        self.rotate(plan=self.run_rotate("--discover", plan=None).stdout)
        document = json.loads(self.database.rows("SELECT CAST(doc AS text) FROM hooks")[0][0])
        self.assertEqual(self.plaintext(document["a"]), "fake-hook")

    def test_tokens_with_escapes_at_paths_that_the_plan_does_not_list_are_found(self):
        self.make_tables()
        self.database.insert("export_configs", id=9, credentials='{"list":["\\u0067%s"],"n":"\\u00e9"}' %
                             self.token("fake-deep")[1:], note="deep")
        self.assert_fails(65, "export_configs.credentials", "(1)",
                          plan=PLAN.replace('"$.*"', '"$.password", "$.key"'))

    def test_tokens_with_escapes_in_json_inside_of_json_are_found(self):
        self.make_tables()
        self.database.execute("CREATE TABLE inbox (id integer PRIMARY KEY, doc jsonb)")
        inner = '{"a": "\\u0067%s"}' % self.token("fake-deep")[1:]
        self.database.insert("inbox", id=1, doc=json.dumps({"body": inner}))
        self.assert_fails(65, "inbox.doc (1)")

    def test_discover_keeps_the_names_of_members(self):
        self.make_tables()
        self.database.execute("CREATE TABLE hooks (id integer PRIMARY KEY, doc json)")
        names = "hooks[0]", 'a"[1]', "back\\", "[2]"
        self.database.insert("hooks", id=1, doc=json.dumps({name: [self.token("fake-hook")] for name in names}))
        found = self.run_rotate("--discover", plan=None)
        self.assertIn("hooks[0]", found.stdout)
        self.rotate(plan=found.stdout)
        document = json.loads(self.database.rows("SELECT CAST(doc AS text) FROM hooks")[0][0])
        self.assertEqual([self.plaintext(document[name][0]) for name in names], ["fake-hook"] * 4)

    def test_discover_writes_a_plan_that_rotates_everything(self):
        self.make_tables()
        self.database.execute("CREATE TABLE webhooks (id integer PRIMARY KEY, secret text, body text)")
        self.database.insert("webhooks", id=1, secret="enc:" + self.token("fake-hook"), body="nothing")
        found = self.run_rotate("--discover", plan=None)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn("webhooks.secret: 1 token, 1 opened", found.stderr)
        self.rotate(plan=found.stdout)
        self.assert_rotated()
        value = self.database.rows("SELECT secret FROM webhooks")[0][0]
        self.assertEqual(self.plaintext(value.removeprefix("enc:")), "fake-hook")

    def assert_is_printable(self, result, *words):
        text = result.stdout + result.stderr
        self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        for word in words:
            self.assertIn(word, text)

    def test_no_control_character_of_the_database_reaches_the_terminal(self):
        self.make_tables()
        name = "x\x1b[31m\x9b\nnote"
        self.database.execute(f'CREATE TABLE "{name}" (id integer PRIMARY KEY, v text)')
        self.database.insert(name, id=1, v=self.token("fake"))
        self.assert_is_printable(self.run_rotate("--yes"), "x [31m  note.v (1)")  # which the plan does not list
        found = self.run_rotate("--discover", plan=None)
        self.assertIn(r"x\u001B[31m", found.stdout)
        self.assert_is_printable(found, "x [31m  note.v: 1 token")
        self.assert_is_printable(self.run_rotate("--yes", plan=found.stdout), "x [31m  note.v  ")
        self.database.execute("UPDATE qarion_secrets_rotations SET new_key = '\x1b]0;fake\x07'")
        self.database.insert(name, id=2, v=self.token("fake", self.other))
        for action in ("status", "verify"):
            self.assert_is_printable(self.run_rotate(action, plan=found.stdout), "x [31m  note", "to key  ]0;fake ,")

    def test_old_versions_are_written_over_where_that_is_asked_for(self):
        self.make_tables()
        self.rotate("--scrub-storage")
        self.assert_rotated()

    def test_the_password_may_not_stand_on_the_command_line(self):
        self.make_tables()
        self.assert_fails(64, "--database has a password in it",
                          arguments=("--yes", "--database", "postgresql://app:fake-password@localhost/app"))
