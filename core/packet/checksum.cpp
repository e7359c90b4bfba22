#include "core/packet/checksum.h"

#include <cstring>

namespace ftpsensor {

void OnesComplementSum::add(const std::uint8_t* data, std::uint32_t size) {
    std::uint64_t sum = sum_;
    while (size >= 8) {
        std::uint64_t word;
        std::memcpy(&word, data, sizeof word);
        sum += (word & 0xffffffff) + (word >> 32);
        data += 8;
        size -= 8;
    }
    std::uint64_t rest = 0; // padded with zeros, as the RFC has it
    std::memcpy(&rest, data, size);
    sum += (rest & 0xffffffff) + (rest >> 32);
    sum_ = sum;
}

void OnesComplementSum::add_number(std::uint32_t value) { sum_ += __builtin_bswap32(value); }

bool OnesComplementSum::is_valid() const {
    std::uint64_t sum = (sum_ & 0xffffffff) + (sum_ >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

bool ipv4_header_checksum_is_valid(const std::uint8_t* header, std::uint32_t size) {
    OnesComplementSum sum;
    sum.add(header, size);
    return sum.is_valid();
}

bool transport_checksum_is_valid(const IpAddress& source, const IpAddress& destination, std::uint8_t ip_proto,
                                 const std::uint8_t* segment, std::uint32_t size) {
    OnesComplementSum sum;
    // An IPv4 address is held with 0xffff before it (::ffff:a.b.c.d), which is 0 to this arithmetic.
    sum.add(source.bytes.data(), 16);
    sum.add(destination.bytes.data(), 16);
    sum.add_number(size);
    sum.add_number(ip_proto);
    sum.add(segment, size);
    return sum.is_valid();
}

bool icmp_checksum_is_valid(const std::uint8_t* message, std::uint32_t size) {
    OnesComplementSum sum;
    sum.add(message, size);
    return sum.is_valid();
}

} // namespace ftpsensor
