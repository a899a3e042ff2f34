"""The scrubber's C interface as another language uses it: Python's ctypes on the shared library.

Usage: scrub_abi_test.py LIBRARY
"""
import ctypes
import secrets
import sys
import unittest

LIBRARY = ctypes.CDLL(sys.argv.pop(1))
WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t)
OK, BAD_ARGUMENT = 0, 1
FORM_RAW = 1


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("forms", ctypes.c_uint32),
                ("min_length", ctypes.c_size_t), ("mask", ctypes.c_char_p)]


for name, result, arguments in [
        ("scrubber_new", ctypes.c_void_p, [ctypes.POINTER(Options)]),
        ("scrubber_free", None, [ctypes.c_void_p]),
        ("scrubber_add", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
        ("scrubber_remove", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
        ("scrub", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, WRITE, ctypes.c_void_p]),
        ("scrub_stream_new", ctypes.c_void_p, [ctypes.c_void_p, WRITE, ctypes.c_void_p]),
        ("scrub_stream_free", None, [ctypes.c_void_p]),
        ("scrub_stream_write", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
        ("scrub_stream_finish", ctypes.c_int, [ctypes.c_void_p])]:
    function = getattr(LIBRARY, "qarion_secrets_" + name)
    function.restype, function.argtypes = result, arguments


class ScrubAbiTest(unittest.TestCase):
    def setUp(self):
        self.seen = []
        self.write = WRITE(lambda context, data, size: self.seen.append(ctypes.string_at(data, size)))
        self.value = secrets.token_hex(16).encode()

    def new(self, **options):
        given = Options(size=ctypes.sizeof(Options), **options)
        scrubber = LIBRARY.qarion_secrets_scrubber_new(ctypes.byref(given))
        self.assertTrue(scrubber)
        self.addCleanup(LIBRARY.qarion_secrets_scrubber_free, scrubber)
        return scrubber

    def scrubbed(self, scrubber, text):
        self.seen.clear()
        self.assertEqual(LIBRARY.qarion_secrets_scrub(scrubber, text, len(text), self.write, None), OK)
        return b"".join(self.seen)

    def test_masks_a_value_and_its_forms(self):
        scrubber = self.new()
        self.assertEqual(LIBRARY.qarion_secrets_scrubber_add(scrubber, self.value, len(self.value)), OK)
        text = b"a " + self.value + b" b " + self.value.hex().encode() + b"."
        self.assertEqual(self.scrubbed(scrubber, text), b"a *** b ***.")

    def test_takes_options(self):
        scrubber = self.new(forms=FORM_RAW, min_length=1, mask=b"[gone]")
        LIBRARY.qarion_secrets_scrubber_add(scrubber, b"x", 1)
        self.assertEqual(self.scrubbed(scrubber, b"axb"), b"a[gone]b")

    def test_takes_options_of_an_older_caller(self):
        given = Options(size=ctypes.sizeof(ctypes.c_size_t), forms=1 << 31, min_length=99, mask=b"never read")
        scrubber = LIBRARY.qarion_secrets_scrubber_new(ctypes.byref(given))
        self.addCleanup(LIBRARY.qarion_secrets_scrubber_free, scrubber)
        LIBRARY.qarion_secrets_scrubber_add(scrubber, self.value, len(self.value))
        self.assertEqual(self.scrubbed(scrubber, self.value), b"***")

    def test_refuses_forms_that_do_not_exist(self):
        given = Options(size=ctypes.sizeof(Options), forms=1 << 11)
        self.assertFalse(LIBRARY.qarion_secrets_scrubber_new(ctypes.byref(given)))

    def test_removes_a_value(self):
        scrubber = self.new()
        LIBRARY.qarion_secrets_scrubber_add(scrubber, self.value, len(self.value))
        LIBRARY.qarion_secrets_scrubber_remove(scrubber, self.value, len(self.value))
        self.assertEqual(self.scrubbed(scrubber, self.value), self.value)

    def test_scrubs_a_stream_after_the_scrubber_is_gone(self):
        scrubber = LIBRARY.qarion_secrets_scrubber_new(None)
        LIBRARY.qarion_secrets_scrubber_add(scrubber, self.value, len(self.value))
        stream = LIBRARY.qarion_secrets_scrub_stream_new(scrubber, self.write, None)
        LIBRARY.qarion_secrets_scrubber_free(scrubber)
        for i in range(len(self.value)):
            LIBRARY.qarion_secrets_scrub_stream_write(stream, self.value[i:i + 1], 1)
        LIBRARY.qarion_secrets_scrub_stream_write(stream, b".", 1)
        self.assertEqual(b"".join(self.seen), b"***.")
        LIBRARY.qarion_secrets_scrub_stream_write(stream, self.value[:9], 9)
        self.assertEqual(LIBRARY.qarion_secrets_scrub_stream_finish(stream), OK)
        self.assertEqual(b"".join(self.seen), b"***." + self.value[:9])
        LIBRARY.qarion_secrets_scrub_stream_free(stream)

    def test_tells_of_missing_arguments(self):
        self.assertEqual(LIBRARY.qarion_secrets_scrubber_add(None, b"x", 1), BAD_ARGUMENT)
        self.assertEqual(LIBRARY.qarion_secrets_scrubber_add(self.new(), None, 1), BAD_ARGUMENT)
        self.assertFalse(LIBRARY.qarion_secrets_scrub_stream_new(None, self.write, None))
        self.assertEqual(LIBRARY.qarion_secrets_scrub_stream_finish(None), BAD_ARGUMENT)


if __name__ == "__main__":
    unittest.main()
