// What a table of bytes that strangers choose counts on.
#include "core/base/bytes_hash.h"
#include "tests/support/catch.h"

#include <set>
#include <string>

using namespace ftpsensor;

TEST_CASE("each byte, the length and the secret matter, at every size") {
    for (const std::size_t size : {1u, 7u, 16u, 63u, 64u, 65u, 128u, 200u}) {
        std::set<std::uint64_t> hashes;
        std::string bytes(size, '\0');
        hashes.insert(bytes_hash(bytes, 1));
        hashes.insert(bytes_hash(bytes, 2));
        hashes.insert(bytes_hash(std::string(size + 1, '\0'), 1));
        for (std::size_t i = 0; i < size; ++i) {
            bytes[i] = 'x';
            hashes.insert(bytes_hash(bytes, 1));
            bytes[i] = '\0';
        }
        CHECK(hashes.size() == size + 3);
        CHECK(bytes_hash(bytes, 1) == *hashes.find(bytes_hash(std::string(size, '\0'), 1)));
    }
}

TEST_CASE("blocks that trade places are other bytes") {
    const std::string a(64, 'a'), b(64, 'b');
    CHECK(bytes_hash(a + b, 1) != bytes_hash(b + a, 1));
    CHECK(bytes_hash({}, 1) != bytes_hash({}, 2));
}
