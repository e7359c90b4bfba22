#!/usr/bin/env python3
"""Each rule of tidy.py complains where it is broken, and only there."""
import unittest

import tidy


def complaints(path, text):
    return [wrong for _, wrong in tidy.check_file(path, text)]


HEADER = "// What it is for.\n#pragma once\n"


class TidyTest(unittest.TestCase):
    def assert_one(self, path, text, word):
        found = complaints(path, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(word, found[0])

    def test_good_header(self):
        self.assertEqual(complaints("core/conn/a.h", HEADER + '#include "core/base/time.h"\n'), [])

    def test_header_without_purpose(self):
        self.assert_one("core/conn/a.h", "#pragma once\n", "purpose")

    def test_layers_are_one_way(self):
        self.assert_one("core/base/a.h", HEADER + '#include "core/conn/b.h"\n', "does not see")
        self.assert_one("core/log/a.cpp", '#include "core/ftp/b.h"\n', "does not see")
        self.assert_one("config/a.cpp", '#include "daemon/b.h"\n', "does not see")

    def test_libraries_have_their_place(self):
        self.assert_one("core/conn/a.cpp", "#include <rte_mbuf.h>\n", "DPDK")
        self.assert_one("daemon/a.cpp", "#include <yaml-cpp/yaml.h>\n", "yaml-cpp")
        self.assertEqual(complaints("daemon/a.cpp", "#include <rte_mbuf.h>\n"), [])

    def test_function_length(self):
        body = "    work();\n"
        self.assertEqual(complaints("core/conn/a.cpp", "void f() {\n" + body * 68 + "}\n"), [])
        self.assert_one("core/conn/a.cpp", "void f() {\n" + body * 69 + "}\n", "71 lines")
        self.assert_one("core/conn/a.cpp", "struct S {\n    void f() {\n" + body * 69 + "    }\n};\n", "71 lines")
        self.assertEqual(complaints("core/conn/a.cpp", "namespace n {\n" + "int x;\n" * 100 + "}\n"), [])
        self.assertEqual(complaints("core/conn/a.cpp", "const int t[] = {\n" + "    1,\n" * 100 + "};\n"), [])

    def test_file_length(self):
        self.assert_one("core/conn/a.cpp", "int x;\n" * 451, "split")

    def test_events_are_counted(self):
        names = "#define EVENTS(X) \\\n    X(one) X(two)\n#define X(name) name,\n"
        self.assertEqual(list(tidy.uncounted_events(names, "count(Event::one); keep(Event::two)")), [])
        self.assertEqual(list(tidy.uncounted_events(names, "count(Event::one); two();")), [(2, "the event two is never counted")])

    def test_catch_of_both_versions(self):
        self.assert_one("tests/unit/a.cpp", "CHECK_THAT(a, Catch::StartsWith(b));\n", "Catch2")
        self.assert_one("tests/unit/a.cpp", "CHECK(a == Catch::Approx(b));\n", "Catch2")
        self.assertEqual(complaints("tests/unit/a.cpp", "CHECK_THAT(a, Catch::Contains(b));\n"), [])

    def test_lines(self):
        self.assert_one("core/conn/a.cpp", "// " + "x" * 118 + "\n", "columns")
        self.assert_one("core/conn/a.cpp", "int x; \n", "space")
        self.assert_one("core/conn/a.cpp", "// TODO\n", "unfinished")
        self.assert_one("core/conn/a.cpp", "int x;", "no end")


if __name__ == "__main__":
    unittest.main()
