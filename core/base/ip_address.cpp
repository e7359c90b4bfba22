#include "core/base/ip_address.h"

#include <charconv>

#include <arpa/inet.h>

namespace ftpsensor {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    char buffer[INET6_ADDRSTRLEN];
    if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
    std::uint8_t raw[16];
    if (::inet_pton(AF_INET, buffer, raw) == 1) return from_v4(raw);
    if (::inet_pton(AF_INET6, buffer, raw) == 1) return from_v6(raw);
    return std::nullopt;
}

std::size_t IpAddress::format(char* out) const {
    if (is_v4()) {
        char* p = out;
        for (std::size_t i = 12; i < 16; ++i) {
            if (i != 12) *p++ = '.';
            p = std::to_chars(p, p + 3, bytes[i]).ptr;
        }
        return static_cast<std::size_t>(p - out);
    }
    ::inet_ntop(AF_INET6, bytes.data(), out, INET6_ADDRSTRLEN);
    return std::strlen(out);
}

std::string IpAddress::to_string() const {
    char text[INET6_ADDRSTRLEN];
    return std::string(text, format(text));
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto base = IpAddress::parse(text.substr(0, slash));
    if (!base) return std::nullopt;
    const unsigned offset = base->is_v4() && text.find(':') == std::string_view::npos ? 96 : 0;
    unsigned bits = 128 - offset;
    if (slash != std::string_view::npos) {
        const auto digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (error != std::errc{} || end != digits.data() + digits.size() || bits > 128 - offset) return std::nullopt;
    }
    IpNetwork network{*base, static_cast<std::uint8_t>(bits + offset)};
    for (unsigned bit = network.prefix_bits; bit < 128; ++bit)
        if (base->bytes[bit / 8] & (0x80u >> (bit % 8))) return std::nullopt;
    return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
    const std::size_t whole = prefix_bits / 8;
    if (std::memcmp(base.bytes.data(), address.bytes.data(), whole) != 0) return false;
    const unsigned rest = prefix_bits % 8u;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff00u >> rest);
    return ((base.bytes[whole] ^ address.bytes[whole]) & mask) == 0;
}

std::string IpNetwork::to_string() const {
    const unsigned offset = base.is_v4() && prefix_bits >= 96 ? 96 : 0;
    return base.to_string() + "/" + std::to_string(prefix_bits - offset);
}

} // namespace ftpsensor
