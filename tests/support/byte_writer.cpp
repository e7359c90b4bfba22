// Out of line by intention: g++ 12 at -O3 warns of overflows that are none where a vector's growth is inlined.
#include "tests/support/byte_writer.h"

namespace ftpsensor::test {

ByteWriter& ByteWriter::append(std::span<const std::uint8_t> data) {
    out_.insert(out_.end(), data.begin(), data.end());
    return *this;
}

ByteWriter& ByteWriter::append(std::string_view text) {
    for (const char c : text) out_.push_back(static_cast<std::uint8_t>(c));
    return *this;
}

ByteWriter& ByteWriter::zeros(std::size_t count) {
    out_.insert(out_.end(), count, std::uint8_t{0});
    return *this;
}

ByteWriter& ByteWriter::pad_to_multiple(std::size_t unit, std::uint8_t fill) {
    while (out_.size() % unit != 0) out_.push_back(fill);
    return *this;
}

ByteWriter& ByteWriter::number(std::uint32_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
        const unsigned shift = 8 * (little_endian_ ? i : size - 1 - i);
        out_.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
}

} // namespace ftpsensor::test
