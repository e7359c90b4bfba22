#include "core/packet/teredo.h"

#include "core/packet/ipv6_extensions.h"

#include <algorithm>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kOriginLength = 8;
constexpr std::uint32_t kAuthenticationLength = 4 + 8 + 1; // with nonce and confirmation, without id and value
constexpr std::uint16_t kOriginTag = 0;
constexpr std::uint16_t kAuthenticationTag = 1;

std::uint32_t authentication_length(const std::uint8_t* header) {
    return kAuthenticationLength + header[2] + header[3];
}

// An IPv6 header with Teredo's prefix as source or destination, told as by Zeek's pattern, whose dot is no line feed.
bool has_teredo_address(const std::uint8_t* header) {
    if (header[0] >> 4 != 6) return false;
    const auto no_line_feed = [header](std::uint32_t from, std::uint32_t to) {
        return std::find(header + from, header + to, '\n') == header + to;
    };
    if (load_be32(header + 8) == kTeredoPrefix && no_line_feed(1, 8) && no_line_feed(12, kTeredoLeast)) return true;
    return load_be32(header + 24) == kTeredoPrefix && no_line_feed(1, 24) && no_line_feed(28, kTeredoLeast);
}

} // namespace

bool is_teredo(const std::uint8_t* payload, std::uint32_t size) {
    if (size < kTeredoLeast || !may_be_teredo(payload)) return false;
    if (has_teredo_address(payload)) return true;
    // Zeek goes by the second byte alone from here on.
    std::uint32_t tag = payload[1];
    if (tag == kAuthenticationTag) {
        const std::uint32_t length = authentication_length(payload);
        if (size < length + kTeredoLeast) return false;
        payload += length;
        size -= length;
        tag = load_be16(payload);
    }
    return tag == kOriginTag && size >= kOriginLength + kTeredoLeast && payload[kOriginLength] >> 4 == 6;
}

std::optional<Event> open_teredo(Cursor& at, EventCounters& events) {
    const auto tag = [&at] { return at.captured < 2 ? 0xffffu : load_be16(at.data); };
    if (tag() == kAuthenticationTag) {
        if (at.captured < 4 || at.captured < authentication_length(at.data)) return Event::bad_teredo_header;
        at.skip(authentication_length(at.data));
    }
    if (tag() == kOriginTag) {
        if (at.captured < kOriginLength) return Event::bad_teredo_header;
        at.skip(kOriginLength);
    }
    if (at.captured < kTeredoLeast || at.data[0] >> 4 != 6) return Event::bad_teredo_header;
    const std::uint32_t payload = load_be16(at.data + 4);
    const std::uint32_t total = kTeredoLeast + payload;
    if (at.captured < total) return Event::bad_teredo_header;
    if (at.captured == total) return std::nullopt;
    const bool bubble = payload == 0 && at.data[6] == kProtoNone;
    if (!bubble) return Event::bad_teredo_header;
    events.count(Event::Teredo_bubble_with_payload);
    return std::nullopt;
}

} // namespace ftpsensor
