// Fuzzes Decoder::decode() and Distribution with libFuzzer (clang, -fsanitize=fuzzer,address,undefined).
//
// An input is a sequence of packets for one decoder, so that fragments meet: each is an option byte, a big-endian
// length of two bytes, and the bytes. The decoder is kept small, so that its bounds are reached. Each packet lies in a
// heap block of its own size; what comes out must lie in the packet or the decoder, which reading it shows.
#include "core/packet/decode.h"
#include "core/packet/distribution.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

using namespace ftpsensor;

constexpr std::uint8_t kLinkBits = 0x0f; // of the option byte
constexpr std::uint8_t kCutShort = 0x10; // the frame was longer on the wire
constexpr std::uint8_t kLater = 0x20;    // a minute passes before it
constexpr std::uint8_t kTrusted = 0x40;

void require(bool holds) {
    if (!holds) std::abort();
}

void read_all(const std::uint8_t* bytes, std::uint32_t size) {
    volatile std::uint8_t sink = 0;
    for (std::uint32_t i = 0; i < size; ++i) sink = static_cast<std::uint8_t>(sink + bytes[i]);
}

void check(const DecodedPacket& out) {
    require(out.layer_count <= out.layers.size());
    for (std::size_t i = 0; i < out.layer_count; ++i) {
        const Layer& layer = out.layers[i];
        require((layer.carried_by == TunnelKind::none) == (i == 0));
        require(layer.payload_captured <= layer.payload_length);
        require(layer.payload >= layer.l4);
        require(layer.payload + layer.payload_captured <= layer.l4 + layer.l4_captured);
        read_all(layer.l4, layer.l4_captured);
    }
}

void decode_sequence(const std::uint8_t* data, std::size_t size, ChecksumPolicy policy) {
    const DecodeOptions options = {.checksums = policy, .fragment_bytes_max = 16 * 1024, .fragment_datagrams_max = 4};
    EventCounters events;
    Decoder decoder(options, events);
    Distribution distribution(1);
    PacketView view;
    view.now = kSecond;
    while (size >= 3) {
        const std::uint8_t option = data[0];
        const std::size_t wanted = static_cast<std::size_t>(data[1]) << 8 | data[2];
        data += 3;
        size -= 3;
        const std::size_t length = std::min(wanted, size);
        const auto packet = std::make_unique<std::uint8_t[]>(length);
        if (length != 0) std::memcpy(packet.get(), data, length);
        data += length;
        size -= length;
        view.data = packet.get();
        view.captured = static_cast<std::uint32_t>(length);
        view.length = view.captured + ((option & kCutShort) != 0 ? 1000 : 0);
        view.now += (option & kLater) != 0 ? kMinute : kMillisecond;
        view.link = static_cast<LinkType>((option & kLinkBits) % (static_cast<unsigned>(LinkType::unknown) + 1));
        view.checksum_known_good = (option & kTrusted) != 0;
        DecodedPacket out;
        decoder.decode(view, out);
        check(out);
        distribution.hash(view);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    decode_sequence(data, size, ChecksumPolicy::ignore);
    decode_sequence(data, size, ChecksumPolicy::mark);
    return 0;
}
