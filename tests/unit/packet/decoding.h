// A decoder for tests: takes a packet as bytes, in a heap block of its very size (a read beyond it is seen by
// AddressSanitizer and valgrind), and shows the layers and what was counted.
#pragma once

#include "core/packet/decode.h"
#include "tests/support/packet_builder.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace ftpsensor::test {

class Decoding {
public:
    explicit Decoding(const DecodeOptions& options = {}) : decoder_(small(options), events_) {}

    // `on_wire`: length of the frame where the capture cut it; 0: all of it is there.
    const DecodedPacket& decode(const Bytes& packet, LinkType link = LinkType::ethernet, std::uint32_t on_wire = 0) {
        copy_ = std::make_unique<std::uint8_t[]>(packet.size());
        if (!packet.empty()) std::memcpy(copy_.get(), packet.data(), packet.size());
        view_.data = copy_.get();
        view_.captured = static_cast<std::uint32_t>(packet.size());
        view_.length = on_wire != 0 ? on_wire : view_.captured;
        view_.time = view_.now = now;
        view_.link = link;
        view_.checksum_known_good = checksum_known_good;
        decoder_.decode(view_, out_);
        return out_;
    }
    // The next frame of an aggregate.
    bool more() { return decoder_.decode_more(view_, out_); }
    // Of the layer decoded last.
    const Layer& last() const { return out_.layers[out_.layer_count - 1u]; }
    const DecodedPacket& out() const { return out_; }
    const PacketView& view() const { return view_; }
    std::uint64_t count(Event event) const { return events_.value(event); }
    std::uint64_t count_all() const {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < kEventCount; ++i) sum += events_.value(static_cast<Event>(i));
        return sum;
    }

    Timestamp now = kSecond;
    bool checksum_known_good = false;

private:
    // The default pools are made for a worker; tests make many decoders.
    static DecodeOptions small(DecodeOptions options) {
        options.fragment_bytes_max = std::min<std::size_t>(options.fragment_bytes_max, 256 * 1024);
        options.fragment_datagrams_max = std::min<std::size_t>(options.fragment_datagrams_max, 64);
        return options;
    }

    EventCounters events_;
    Decoder decoder_;
    std::unique_ptr<std::uint8_t[]> copy_;
    PacketView view_;
    DecodedPacket out_;
};

inline std::string payload_text(const Layer& layer) {
    return {reinterpret_cast<const char*>(layer.payload), layer.payload_captured};
}

// A header that has no type in the builder.
inline Payload raw(std::initializer_list<int> values) {
    Payload payload;
    for (const int value : values) payload.data.push_back(static_cast<char>(value));
    return payload;
}

inline Bytes cut(Bytes packet, std::size_t size) {
    packet.resize(size);
    return packet;
}

} // namespace ftpsensor::test
