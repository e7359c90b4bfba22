#include "core/ftp/tls_hello.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::uint8_t kHandshake = 22, kClientHello = 1;
constexpr std::uint32_t kSsl2 = 0x0002, kSsl3 = 0x0300, kTls12 = 0x0303, kTls13 = 0x0304;
constexpr std::uint32_t kRecordHeader = 5, kMessageHeader = 4;
constexpr std::uint32_t kLeastHello = 38; // version, random, and the lengths of what may be empty

bool is_between(std::uint32_t version, std::uint32_t first, std::uint32_t last) {
    return version >= first && version <= last;
}

} // namespace

std::uint32_t tls_hello_size(std::span<const std::uint8_t, kTlsHelloStart> start) {
    const auto be16 = [start](std::size_t at) { return static_cast<std::uint32_t>(start[at] << 8 | start[at + 1]); };
    if ((start[0] & 0x80) != 0) { // a record of SSL 2, whose first bit says that its header has two bytes
        const bool known = be16(3) == kSsl2 || is_between(be16(3), kSsl3, kTls12);
        return start[2] == kClientHello && known ? 2 + (be16(0) & 0x7fff) : 0;
    }
    const std::uint32_t record = be16(3), message = be16(7) | static_cast<std::uint32_t>(start[6] << 16);
    if (start[0] != kHandshake || !is_between(be16(1), kSsl3, kTls12) || record == 0) return 0;
    if (start[5] != kClientHello || message < kLeastHello || !is_between(be16(9), kSsl3, kTls13)) return 0;
    const std::uint32_t bytes = kMessageHeader + message;
    if (record >= bytes) return kRecordHeader + record;
    return bytes + (bytes + record - 1) / record * kRecordHeader; // by records as long as the first
}

TlsClientHello::Seen TlsClientHello::take(std::span<const std::uint8_t> data) {
    if (seen_ != Seen::open) return seen_;
    come_ += data.size();
    if (size_ == 0) {
        const std::size_t n = std::min(kTlsHelloStart - start_size_, data.size());
        std::copy_n(data.begin(), n, start_.begin() + start_size_);
        start_size_ = static_cast<std::uint8_t>(start_size_ + n);
        if (start_size_ < kTlsHelloStart) return seen_;
        size_ = tls_hello_size(start_);
    }
    if (size_ == 0)
        seen_ = Seen::other;
    else if (come_ >= size_)
        seen_ = Seen::hello;
    return seen_;
}

} // namespace ftpsensor
