#include "core/ftp/address.h"

#include <algorithm>
#include <array>
#include <limits>

namespace ftpsensor {

namespace {

constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); } // isspace(3) in the C locale
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Text that is read from the front, as C reads a string: past its end stands a NUL.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text) {}

    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool at_end() const { return at_ >= text_.size(); }
    void skip() {
        if (!at_end()) ++at_;
    }
    void skip_spaces() {
        while (is_space(peek())) ++at_;
    }
    bool skip_if(char c) {
        if (at_end() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    // Moves to the next `c`; false where there is none.
    bool find(char c) {
        const std::size_t found = text_.find(c, at_);
        if (found == std::string_view::npos) return false;
        at_ = found;
        return true;
    }
    std::string_view until(char c) const { return text_.substr(at_, text_.find(c, at_) - at_); }

    // strtol(3) in base 10: white space, a sign, digits; saturates. Nothing is consumed where there is no digit.
    std::optional<std::int64_t> number() {
        const std::size_t start = at_;
        skip_spaces();
        const bool negative = peek() == '-';
        if (negative || peek() == '+') ++at_;
        if (!is_digit(peek())) {
            at_ = start;
            return std::nullopt;
        }
        constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
        std::int64_t value = 0;
        bool saturated = false;
        for (; is_digit(peek()); ++at_) {
            const std::int64_t digit = peek() - '0';
            saturated = saturated || value > (kMost - digit) / 10;
            if (!saturated) value = value * 10 + digit;
        }
        if (saturated) return negative ? std::numeric_limits<std::int64_t>::min() : kMost;
        return negative ? -value : value;
    }
    // The same stored to an int, as the reference does: what is too large is cut to 32 bits.
    std::optional<std::int32_t> int_number() {
        const std::optional<std::int64_t> value = number();
        if (!value) return std::nullopt;
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(*value)));
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

// `N` numbers of 0 to 255 with `separator` between them. The cursor ends behind the last.
template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> read_octets(Cursor& cursor, char separator) {
    std::array<std::uint8_t, N> octets{};
    for (std::size_t i = 0; i < N; ++i) {
        if (i > 0 && !cursor.skip_if(separator)) return std::nullopt;
        const std::optional<std::int32_t> number = cursor.int_number();
        if (!number || *number < 0 || *number > 255) return std::nullopt;
        octets[i] = static_cast<std::uint8_t>(*number);
    }
    return octets;
}

// Zeek's IPAddr::ConvertString(): leading zeros in an IPv4 address do not make it octal, or invalid.
std::optional<IpAddress> read_address(std::string_view text) {
    if (text.find(':') != std::string_view::npos) return IpAddress::parse(text);
    Cursor cursor(text);
    const auto octets = read_octets<4>(cursor, '.');
    if (!octets || !cursor.at_end()) return std::nullopt;
    return IpAddress::from_v4(octets->data());
}

// "h1,h2,h3,h4,p1,p2", with whatever behind it.
std::optional<AnnouncedEndpoint> read_host_port(std::string_view text) {
    constexpr std::size_t kShortest = std::string_view("1,2,3,4,5,6").size();
    if (text.size() < kShortest) return std::nullopt;
    Cursor cursor(text);
    const auto octets = read_octets<6>(cursor, ',');
    if (!octets) return std::nullopt;
    const auto& o = *octets;
    return AnnouncedEndpoint{IpAddress::from_v4(o.data()), static_cast<std::uint16_t>(o[4] << 8 | o[5])};
}

// "<d>family<d>address<d>port<d>", where <d> is any character. The family is not looked at. An address that can be read
// makes up for what is wrong before it, and a port may be left out behind one: so reads the reference.
std::optional<AnnouncedEndpoint> read_extended(std::string_view text) {
    Cursor cursor(text);
    cursor.skip_spaces();
    if (cursor.at_end()) return std::nullopt;
    const char delimiter = cursor.peek();
    cursor.skip();

    AnnouncedEndpoint endpoint;
    cursor.number();
    bool valid = cursor.peek() == delimiter;
    cursor.skip();
    if (!cursor.at_end() && cursor.peek() != delimiter) {
        const std::optional<IpAddress> host = read_address(cursor.until(delimiter));
        valid = host.has_value();
        if (host) endpoint.host = *host;
    }
    if (cursor.find(delimiter)) {
        cursor.skip();
        const std::int32_t port = cursor.int_number().value_or(0);
        if (cursor.peek() != delimiter || port < 0 || port > 65535) return std::nullopt;
        endpoint.port = static_cast<std::uint16_t>(port);
    }
    if (!valid) return std::nullopt;
    return endpoint;
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

} // namespace

std::optional<AnnouncedEndpoint> parse_port_argument(std::string_view argument) { return read_host_port(argument); }

std::optional<AnnouncedEndpoint> parse_eprt_argument(std::string_view argument) {
    if (has_nul(argument)) return std::nullopt;
    return read_extended(argument);
}

std::optional<AnnouncedEndpoint> parse_pasv_reply(std::string_view text) {
    if (has_nul(text)) return std::nullopt;
    std::size_t at = text.find('(');
    if (at != std::string_view::npos) {
        ++at;
    } else if (at = text.find("PORT"); at != std::string_view::npos) {
        at += std::string_view("PORT ").size(); // any character may stand for the blank
    } else if (at = text.find(','); at != std::string_view::npos) {
        while (at > 0 && is_digit(text[at - 1])) --at; // the number before the first comma
    }
    if (at > text.size()) return std::nullopt; // nothing found, or nothing behind it
    return read_host_port(text.substr(at));
}

std::optional<AnnouncedEndpoint> parse_epsv_reply(std::string_view text) {
    const std::size_t at = text.find('(');
    if (at == std::string_view::npos || has_nul(text)) return std::nullopt;
    return read_extended(text.substr(at + 1));
}

} // namespace ftpsensor
