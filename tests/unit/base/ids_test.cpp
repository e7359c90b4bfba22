// Ids: the published SipHash vectors, base 62, and what makes a connection one of its kind.
#include "core/base/ids.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

TEST_CASE("siphash128 gives the vectors of its authors") {
    // vectors_sip128 of the reference implementation: key 00..0f, input 00..n-1; little-endian words.
    const IdKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    std::array<std::uint8_t, 64> in{};
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint8_t>(i);
    const auto empty = siphash128(key, in.data(), 0);
    CHECK(empty[0] == 0xe6a825ba047f81a3);
    CHECK(empty[1] == 0x930255c71472f66d);
    const auto one = siphash128(key, in.data(), 1);
    CHECK(one[0] == 0x44af996bd8c187da);
    CHECK(one[1] == 0x45fc229b11597634);
}

TEST_CASE("an id is its letter and 96 bits in base 62") {
    CHECK(Id96{0, 0}.to_string('C') == "C0");
    CHECK(Id96{0, 61}.to_string('C') == "Cz");
    CHECK(Id96{0, 62}.to_string('F') == "F10");
    CHECK(Id96{0xffffffff, 0xffffffffffffffff}.to_string('C').size() == 18);
}

TEST_CASE("both directions of a connection have one uid; every part of it counts") {
    const IdKey key = IdKey::from_seed(1);
    const ConnIdentity c{IpAddress::from_v4(10, 0, 0, 1), IpAddress::from_v4(10, 0, 0, 2), 1024, 21, 6, 0, 77, 5};
    ConnIdentity other = c;
    std::swap(other.orig_h, other.resp_h);
    std::swap(other.orig_p, other.resp_p);
    CHECK(connection_uid(key, other) == connection_uid(key, c));
    other = c;
    other.start = 6;
    CHECK(connection_uid(key, other) != connection_uid(key, c));
    other = c;
    other.first_seq = 78;
    CHECK(connection_uid(key, other) != connection_uid(key, c));
    other = c;
    other.ordinal = 1;
    CHECK(connection_uid(key, other) != connection_uid(key, c));
    CHECK(connection_uid(IdKey::from_seed(2), c) != connection_uid(key, c));
}

TEST_CASE("the two directions of a connection carry two files") {
    const IdKey key = IdKey::from_seed(1);
    const Id96 uid{1, 2};
    CHECK(file_uid(key, uid, true) != file_uid(key, uid, false));
}
