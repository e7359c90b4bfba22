// Appending numbers to bytes, in either byte order. For the builders of tests/support alone.
#pragma once

#include "tests/support/packet_builder.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace ftpsensor::test {

// Appends to `out`, which outlives it. Big-endian (network order) unless told otherwise.
class ByteWriter {
public:
    explicit ByteWriter(Bytes& out, bool little_endian = false) : out_(out), little_endian_(little_endian) {}

    ByteWriter& u8(std::uint8_t value) { return number(value, 1); }
    ByteWriter& u16(std::uint16_t value) { return number(value, 2); }
    ByteWriter& u24(std::uint32_t value) { return number(value, 3); }
    ByteWriter& u32(std::uint32_t value) { return number(value, 4); }
    ByteWriter& append(std::span<const std::uint8_t> data);
    ByteWriter& append(std::string_view text);
    ByteWriter& zeros(std::size_t count);
    ByteWriter& pad_to_multiple(std::size_t unit, std::uint8_t fill = 0);

private:
    ByteWriter& number(std::uint32_t value, unsigned size);

    Bytes& out_;
    bool little_endian_;
};

} // namespace ftpsensor::test
