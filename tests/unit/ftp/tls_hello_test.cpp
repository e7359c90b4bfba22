// What counts as a client's TLS hello.
#include "core/ftp/tls_hello.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <string>

using namespace ftpsensor;

namespace {

using Seen = TlsClientHello::Seen;

std::string be(std::uint32_t value, unsigned bytes) {
    std::string text;
    for (unsigned i = bytes; i-- > 0;) text += static_cast<char>(value >> 8 * i);
    return text;
}

// Of `size` bytes behind its header, in records of `record` bytes at most.
std::string hello(std::uint32_t size, std::uint32_t record = 16'384, std::uint32_t version = 0x0303) {
    const std::string message = be(1, 1) + be(size, 3) + be(version, 2) + std::string(size - 2, 'x');
    std::string all;
    for (std::size_t at = 0; at < message.size(); at += record) {
        const std::string part = message.substr(at, record);
        all += be(22, 1) + be(0x0301, 2) + be(static_cast<std::uint32_t>(part.size()), 2) + part;
    }
    return all;
}

Seen take(TlsClientHello& seen, std::string_view text) {
    return seen.take({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// The length at which it is known what `text` is; its last byte of all if never.
std::pair<Seen, std::size_t> seen_after(const std::string& text) {
    TlsClientHello seen;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (const Seen s = take(seen, text.substr(i, 1)); s != Seen::open) return {s, i + 1};
    return {Seen::open, text.size()};
}

} // namespace

TEST_CASE("a ClientHello is one once all of it has come, however it is cut") {
    for (const std::uint32_t size : {38u, 200u, 5000u, 100'000u}) {
        const std::string text = hello(size);
        CHECK(seen_after(text + "more") == std::pair(Seen::hello, text.size()));
        TlsClientHello at_once;
        CHECK(take(at_once, text) == Seen::hello);
    }
    const std::string parted = hello(200, 50);
    CHECK(seen_after(parted + "more") == std::pair(Seen::hello, parted.size()));
    for (const std::uint32_t version : {0x0300u, 0x0301u, 0x0302u, 0x0304u})
        CHECK(seen_after(hello(60, 16'384, version)).first == Seen::hello);
}

TEST_CASE("what follows in the hello's record belongs to it") {
    std::string text = hello(40);
    text[4] = static_cast<char>(text[4] + 3); // the record is longer than the message
    CHECK(seen_after(text + "abcd") == std::pair(Seen::hello, text.size() + 3));
}

TEST_CASE("a hello of SSL 2") {
    const std::string text = be(0x8000 + 40, 2) + be(1, 1) + be(0x0301, 2) + std::string(37, 'x');
    CHECK(seen_after(text + "more") == std::pair(Seen::hello, text.size()));
    CHECK(seen_after(be(0x8000 + 40, 2) + be(4, 1) + be(0x0301, 2) + std::string(37, 'x')).first == Seen::other);
    CHECK(seen_after(be(0x8000 + 40, 2) + be(1, 1) + be(0x0401, 2) + std::string(37, 'x')).first == Seen::other);
}

TEST_CASE("other records, versions and messages are none, and nothing behind them is") {
    const std::string text = hello(40);
    for (const auto& [at, value] :
         {std::pair<std::size_t, char>{0, 23}, {0, 21}, {1, 2}, {2, 4}, {5, 2}, {8, 37}, {9, 2}, {10, 5}}) {
        CAPTURE(at, static_cast<int>(value));
        std::string changed = text;
        changed[at] = value;
        CHECK(seen_after(changed + text) == std::pair(Seen::other, kTlsHelloStart));
    }
    CHECK(seen_after(std::string("\x16\x03\x01\0\0", 5) + text).first == Seen::other); // an empty record
    CHECK(seen_after("USER x\r\nPASS y\r\n").first == Seen::other);
}

TEST_CASE("with bytes missing nothing is told, but what was told stays") {
    const std::string text = hello(40);
    TlsClientHello cut;
    take(cut, text.substr(0, 20));
    cut.bytes_missing();
    CHECK(take(cut, text.substr(20)) == Seen::other);
    TlsClientHello whole;
    take(whole, text);
    whole.bytes_missing();
    CHECK(take(whole, "x") == Seen::hello);
}
