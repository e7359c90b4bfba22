// What the fuzzers share: a reader that takes an input apart, and the check that makes a finding.
//
// A fuzzer reads options and lengths from the front of its input and takes what is left as it comes, so that any bytes
// are a valid input. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ftpsensor::test {

class FuzzInput {
public:
    FuzzInput(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

    bool empty() const { return left_.empty(); }
    std::size_t size() const { return left_.size(); }
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); } // what is not there reads as 0
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    bool flag() { return (u8() & 1) != 0; }
    std::string_view bytes(std::size_t wanted) {
        const std::string_view taken = left_.substr(0, wanted);
        left_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view text() { return bytes(u8()); }       // up to 255 bytes
    std::string_view long_text() { return bytes(u16()); } // up to 64 KiB
    std::string_view rest() { return bytes(left_.size()); }

private:
    std::uint64_t number(std::size_t size) { // big-endian
        std::uint64_t value = 0;
        for (const char c : bytes(size)) value = value << 8 | static_cast<std::uint8_t>(c);
        return value;
    }

    std::string_view left_;
};

// Ends the process where `holds` is false, which libFuzzer takes for a finding. Also in builds without assertions.
inline void require(bool holds, const char* what = "") {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::abort();
}

} // namespace ftpsensor::test
