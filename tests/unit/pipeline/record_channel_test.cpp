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

TEST_CASE("text stays where it is in memory in a channel that is emptied, which has all of its room then") {
    RecordChannel<int> channel(100, 1000);
    const char* first_text = nullptr;
    for (int round = 0; round < 1000; ++round) {
        for (int i = 0; i < 3; ++i) REQUIRE(channel.push(i, "abc"));
        int n = 0;
        channel.drain([&](const int&, std::string_view text) {
            if (n++ != 0) return;
            if (round == 0) first_text = text.data();
            REQUIRE(text.data() == first_text);
        });
        if (round % 10 != 0) continue;
        for (int i = 0; i < 100; ++i) REQUIRE(channel.push(i, "0123456789"));
        REQUIRE_FALSE(channel.push(100));
        REQUIRE(channel.drain([](int, std::string_view) {}) == 100);
    }
}

TEST_CASE("as many records as were promised fit, wherever the queue stands") {
    constexpr int kRecords = 1000;
    RecordChannel<int> channel(kRecords, 1);
    for (int round = 0; round < 600; ++round) {
        int i = 0;
        while (channel.push(i)) ++i;
        REQUIRE(i == kRecords);
        REQUIRE(channel.drain([](int, std::string_view) {}) == kRecords);
        REQUIRE(channel.push(0)); // one further on the next time
        REQUIRE(channel.drain([](int, std::string_view) {}) == 1);
    }
}

TEST_CASE("one record at a time") {
    RecordChannel<int> channel(3, 1);
    int record = 0;
    CHECK_FALSE(channel.take(record));
    for (int i = 0; i < 100; i += 2) {
        CHECK(channel.push(i));
        CHECK(channel.push(i + 1));
        CHECK(channel.take(record));
        CHECK(record == i);
        CHECK(channel.take(record));
        CHECK(record == i + 1);
        CHECK_FALSE(channel.take(record));
    }
}

TEST_CASE("two threads, text of every length, nothing torn") {
    const std::size_t records = GENERATE(2, 100, 256);
    const int total = records == 2 ? 2'000 : 50'000; // the two threads wait for each other at every second
    RecordChannel<int> channel(records, records == 2 ? 100 : 4096);
    std::thread producer([&] {
        for (int i = 0; i < total; ++i) {
            const std::string text(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
            while (!channel.push(i, text)) std::this_thread::yield();
        }
    });
    int next = 0;
    bool whole = true;
    while (next < total)
        channel.drain([&](int n, std::string_view text) {
            whole = whole && n == next &&
                    text == std::string(static_cast<std::size_t>(n % 97), static_cast<char>('a' + n % 26));
            ++next;
        });
    producer.join();
    CHECK(whole);
}
