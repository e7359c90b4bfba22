// Connections by their key: found, erased, bounded.
#include "core/conn/flow_table.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

ConnKey key_of(std::uint32_t n) {
    ConnKey key;
    key.address[0] = IpAddress::from_v4(10, 0, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8));
    key.address[1] = IpAddress::from_v4(192, 168, 0, static_cast<std::uint8_t>(n));
    key.port[0] = static_cast<std::uint16_t>(n * 7);
    key.port[1] = 21;
    key.ip_proto = 6;
    return key;
}

} // namespace

TEST_CASE("what was inserted is found, and nothing else") {
    FlowTable table(1000, 42);
    for (std::uint32_t n = 0; n < 1000; ++n)
        REQUIRE(table.insert(key_of(n), table.hash(key_of(n))) != FlowTable::kNone);
    for (std::uint32_t n = 0; n < 1000; ++n) {
        const std::uint32_t index = table.find(key_of(n), table.hash(key_of(n)));
        REQUIRE(index != FlowTable::kNone);
        CHECK(table[index].key == key_of(n));
    }
    CHECK(table.find(key_of(1000), table.hash(key_of(1000))) == FlowTable::kNone);
}

TEST_CASE("a full table takes no more, and takes again when one is erased") {
    FlowTable table(10, 42);
    for (std::uint32_t n = 0; n < 10; ++n) table.insert(key_of(n), table.hash(key_of(n)));
    CHECK(table.insert(key_of(10), table.hash(key_of(10))) == FlowTable::kNone);
    table.erase(table.find(key_of(3), table.hash(key_of(3))));
    CHECK(table.find(key_of(3), table.hash(key_of(3))) == FlowTable::kNone);
    CHECK(table.insert(key_of(10), table.hash(key_of(10))) != FlowTable::kNone);
    CHECK(table.size() == 10);
}

TEST_CASE("a bucket that overflows loses nothing") {
    FlowTable table(1000, 42);
    const std::uint64_t same = 0x1234567800000001; // all in one bucket, with one signature
    for (std::uint32_t n = 0; n < 100; ++n) table.insert(key_of(n), same);
    for (std::uint32_t n = 0; n < 100; ++n) {
        const std::uint32_t index = table.find(key_of(n), same);
        REQUIRE(index != FlowTable::kNone);
        CHECK(table[index].key == key_of(n));
    }
}

TEST_CASE("every part of the key tells connections apart") {
    const ConnKey key = key_of(5);
    const std::uint64_t hash = hash_key(key, 7);
    ConnKey other = key;
    other.port[0] ^= 1;
    CHECK(hash_key(other, 7) != hash);
    other = key;
    other.ip_proto = 17;
    CHECK(hash_key(other, 7) != hash);
    other = key;
    other.address[1].bytes[0] ^= 1;
    CHECK(hash_key(other, 7) != hash);
    other = key;
    other.one_way = 1;
    CHECK(hash_key(other, 7) != hash);
    CHECK(hash_key(key, 8) != hash);
}

TEST_CASE("a connection leads to its cold part, and the index to both, in every slab") {
    const std::uint32_t count = 3 * ConnSlab::kConnections + 1;
    FlowTable table(count, 42);
    std::vector<std::uint32_t> indices;
    for (std::uint32_t n = 0; n < count; ++n) indices.push_back(table.insert(key_of(n), table.hash(key_of(n))));
    for (std::uint32_t n = 0; n < count; ++n) table.cold(indices[n]).first_seq = n;
    for (std::uint32_t n = 0; n < count; ++n) {
        REQUIRE(table[indices[n]].cold().first_seq == n);
        REQUIRE(table[indices[n]].key == key_of(n));
    }
    std::uint32_t visited = 0;
    table.for_each([&](std::uint32_t index) { visited += table[index].in_use ? 1u : 0u; });
    CHECK(visited == count);
}

TEST_CASE("what is erased is not visited, and its place is used again") {
    FlowTable table(3, 42);
    for (std::uint32_t n = 0; n < 3; ++n) table.insert(key_of(n), table.hash(key_of(n)));
    const std::uint32_t index = table.find(key_of(1), table.hash(key_of(1)));
    table.cold(index).first_seq = 7;
    table.erase(index);
    std::uint32_t visited = 0;
    table.for_each([&](std::uint32_t) { ++visited; });
    CHECK(visited == 2);
    CHECK(table.insert(key_of(9), table.hash(key_of(9))) == index);
    CHECK(table[index].cold().first_seq == 0);
}
