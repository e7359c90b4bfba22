// A client's hello, by which the reference knows that TLS is spoken (RFC 8446 4.1.2 and 5.1; SSL 2's, RFC 6101 E.1).
//
// As the reference's parser confirms TLS: a whole ClientHello of a version that it knows. What its fields hold is not
// looked at. Plain values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ftpsensor {

inline constexpr std::size_t kTlsHelloStart = 11; // up to the ClientHello's version

// Bytes of the hello that begins so, with the headers of its records. 0: it is none.
std::uint32_t tls_hello_size(std::span<const std::uint8_t, kTlsHelloStart> start);

// Of a client whose bytes come in pieces.
class TlsClientHello {
public:
    enum class Seen : std::uint8_t { open, hello, other };
    Seen take(std::span<const std::uint8_t> data);
    // Bytes of either direction are missing: nothing tells any more.
    void bytes_missing() { seen_ = seen_ == Seen::open ? Seen::other : seen_; }

private:
    std::array<std::uint8_t, kTlsHelloStart> start_{};
    std::uint8_t start_size_ = 0;
    Seen seen_ = Seen::open;
    std::uint32_t size_ = 0; // 0: not known yet
    std::uint64_t come_ = 0;
};

} // namespace ftpsensor
