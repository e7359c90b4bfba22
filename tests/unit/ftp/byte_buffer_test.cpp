#include "core/ftp/byte_buffer.h"
#include "tests/support/catch.h"

#include <string>

using namespace ftpsensor;

TEST_CASE("a buffer takes what fits and says how much that was", "[byte_buffer]") {
    ByteBuffer buffer(100);
    CHECK(buffer.append(std::string(99, 'a')) == 99);
    CHECK(buffer.append("b") == 1);
    CHECK(buffer.append("c") == 0);
    CHECK(buffer.view() == std::string(99, 'a') + "b");
    CHECK(buffer.assign(std::string(101, 'd')) == 100);
}

TEST_CASE("a buffer never holds more memory than its bound", "[byte_buffer]") {
    ByteBuffer buffer(1000);
    for (int i = 0; i < 1001; ++i) {
        buffer.append("x");
        REQUIRE(buffer.capacity() <= 1000);
    }
    CHECK(buffer.size() == 1000);
    CHECK(buffer.room() == 0);
}

TEST_CASE("bytes are taken out of the middle, the beginning and the end", "[byte_buffer]") {
    ByteBuffer buffer(100);
    buffer.append("0123456789");
    buffer.erase(3, 4);
    CHECK(buffer.view() == "012789");
    buffer.erase(0, 2);
    CHECK(buffer.view() == "2789");
    buffer.erase(2, 2);
    CHECK(buffer.view() == "27");
}

TEST_CASE("release gives large memory back and keeps small memory", "[byte_buffer]") {
    ByteBuffer buffer(10000);
    buffer.append(std::string(64, 'a'));
    buffer.release(64);
    CHECK(buffer.capacity() == 64);
    buffer.append(std::string(65, 'a'));
    buffer.release(64);
    CHECK(buffer.capacity() == 0);
    CHECK(buffer.append("again") == 5);
    CHECK(buffer.view() == "again");
}
