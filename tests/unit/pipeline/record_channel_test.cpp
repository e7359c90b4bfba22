// Records with text beside them, from one thread to another: in order, bounded, whole.
#include "core/record/channel.h"
#include "tests/support/catch.h"

#include <string>
#include <thread>

using namespace ftpsensor;

TEST_CASE("records and their text come out as they went in") {
    RecordChannel<int> channel(100, 1000);
    CHECK(channel.push(1, "one"));
    CHECK(channel.push(2));
    CHECK(channel.push(3, "three"));
    std::string out;
    CHECK(channel.drain([&](int n, std::string_view text) { out += std::to_string(n) + std::string(text) + ";"; }) ==
          3);
    CHECK(out == "1one;2;3three;");
}

TEST_CASE("a full channel refuses, a share of it earlier, and takes again once drained") {
    RecordChannel<int> channel(8, 1000);
    for (int i = 0; i < 6; ++i) CHECK(channel.push(i, {}, 0.75));
    CHECK_FALSE(channel.push(6, {}, 0.75));
    CHECK(channel.push(6));
    CHECK(channel.push(7));
    CHECK_FALSE(channel.push(8));
    channel.drain([](int, std::string_view) {});
    CHECK(channel.push(8));
}

TEST_CASE("text that does not fit is refused with its record") {
    RecordChannel<int> channel(100, 16);
    CHECK(channel.push(1, "0123456789"));
    CHECK_FALSE(channel.push(2, "0123456789"));
    CHECK(channel.push(3, "012345"));
    std::string out;
    channel.drain([&](int n, std::string_view text) { out += std::to_string(n) + std::string(text) + ";"; });
    CHECK(out == "10123456789;3012345;");
    CHECK_FALSE(channel.push(4, std::string(17, 'x')));
}

TEST_CASE("two threads, text of every length, nothing torn") {
    constexpr int kRecords = 200'000;
    RecordChannel<int> channel(256, 4096);
    std::thread producer([&] {
        for (int i = 0; i < kRecords; ++i) {
            const std::string text(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
            while (!channel.push(i, text)) std::this_thread::yield();
        }
    });
    int next = 0;
    bool whole = true;
    while (next < kRecords)
        channel.drain([&](int n, std::string_view text) {
            whole = whole && n == next &&
                    text == std::string(static_cast<std::size_t>(n % 97), static_cast<char>('a' + n % 26));
            ++next;
        });
    producer.join();
    CHECK(whole);
}
