#include "config/nearest.h"
#include "tests/support/catch.h"

#include <array>

using namespace ftpsensor;

TEST_CASE("edit distance: insert, delete, replace, swap of neighbours; case and - against _ are free") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("extended", "extnded") == 1);
    CHECK(edit_distance("ports", "prots") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("Flush-Interval", "flush_interval") == 0);
}

TEST_CASE("nearest name: a slip is near, another word is not") {
    constexpr std::array<std::string_view, 3> names{"interface", "pci", "vdev"};
    CHECK(nearest_name("iface", names).empty());
    CHECK(nearest_name("interfaces", names) == "interface");
    CHECK(nearest_name("pic", names) == "pci");
    CHECK(nearest_name("x", names).empty());
    CHECK(nearest_name("", names).empty());
    CHECK(nearest_name(std::string(100'000, 'i'), names).empty()); // bounded work
}

TEST_CASE("nearest path: the named section first, then a right name elsewhere, then the whole") {
    constexpr std::array<std::string_view, 6> paths{"capture",       "capture.ports", "capture.snaplen",
                                                    "log.directory", "ftp.ports",     "ftp"};
    CHECK(nearest_path("ftp.prots", paths) == "ftp.ports");
    CHECK(nearest_path("capture.prots", paths) == "capture.ports");
    CHECK(nearest_path("snaplen", paths) == "capture.snaplen");
    CHECK(nearest_path("ftp.snaplen", paths) == "capture.snaplen");
    CHECK(nearest_path("captur", paths) == "capture");
    CHECK(nearest_path("logs.directry", paths) == "log.directory");
    CHECK(nearest_path("something.else", paths).empty());
}
