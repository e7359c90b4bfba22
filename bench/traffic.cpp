#include "bench/traffic.h"

#include <algorithm>
#include <cstring>

namespace ftpsensor::bench {

namespace {

constexpr std::size_t kHeaders = 14 + 20 + 20;
constexpr std::size_t kShortestFrame = 60;
constexpr std::size_t kLine = 64;

void put16(std::uint8_t* to, std::uint32_t v) {
    to[0] = static_cast<std::uint8_t>(v >> 8);
    to[1] = static_cast<std::uint8_t>(v);
}

void put32(std::uint8_t* to, std::uint32_t v) {
    put16(to, v >> 16);
    put16(to + 2, v);
}

} // namespace

FrameBatch::FrameBatch(std::size_t frames, std::size_t frame_bytes)
    : stride_((std::max(frame_bytes, kShortestFrame) + kLine - 1) / kLine * kLine), lengths_(frames),
      memory_(frames * stride_), bytes_(reinterpret_cast<std::uint8_t*>(memory_.data())) {
    std::memset(bytes_, 0, frames * stride_); // resident from now on
}

void FrameBatch::add(const Tcp& s) {
    const auto payload = s.text.empty() ? s.payload : static_cast<std::uint32_t>(s.text.size());
    std::uint8_t* const frame = bytes_ + size_ * stride_;
    std::memset(frame, 0, kHeaders + 6);
    frame[12] = 0x08;
    std::uint8_t* const ip = frame + 14;
    ip[0] = 0x45;
    put16(ip + 2, 40 + payload);
    ip[8] = 64;
    ip[9] = 6;
    const std::uint32_t client = 0x0a000000 + s.flow;
    const std::uint32_t server = 0xc6120000 + s.flow % 251;
    const std::uint16_t client_port = static_cast<std::uint16_t>(32768 + s.flow % 28232);
    put32(ip + 12, s.from_client ? client : server);
    put32(ip + 16, s.from_client ? server : client);
    std::uint8_t* const tcp = ip + 20;
    put16(tcp, s.from_client ? client_port : s.server_port);
    put16(tcp + 2, s.from_client ? s.server_port : client_port);
    put32(tcp + 4, s.seq);
    put32(tcp + 8, s.ack);
    tcp[12] = 0x50;
    tcp[13] = s.flags;
    put16(tcp + 14, 0xffff);
    std::memcpy(frame + kHeaders, s.text.data(), s.text.size());
    lengths_[size_++] = static_cast<std::uint16_t>(std::max(kHeaders + payload, kShortestFrame));
}

} // namespace ftpsensor::bench
