#include "tests/support/capture_writer.h"

#include "tests/support/byte_writer.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace ftpsensor::test {
namespace {

void start_pcap(ByteWriter& out, const CaptureOptions& options, std::uint32_t link_type) {
    out.u32(options.format == CaptureFormat::pcap_nano ? 0xa1b23c4d : 0xa1b2c3d4);
    out.u16(2).u16(4).u32(0).u32(0).u32(options.snaplen).u32(link_type);
}

void start_pcapng(ByteWriter& out, const CaptureOptions& options, std::uint32_t link_type) {
    constexpr std::uint32_t kSectionHeaderSize = 28;
    constexpr std::uint32_t kInterfaceSize = 32;
    constexpr std::uint32_t kUnknownSectionLength = 0xffffffff;
    constexpr std::uint16_t kTimestampResolution = 9; // if_tsresol
    out.u32(0x0a0d0d0a).u32(kSectionHeaderSize).u32(0x1a2b3c4d).u16(1).u16(0);
    out.u32(kUnknownSectionLength).u32(kUnknownSectionLength).u32(kSectionHeaderSize);
    out.u32(1).u32(kInterfaceSize).u16(static_cast<std::uint16_t>(link_type)).u16(0).u32(options.snaplen);
    out.u16(kTimestampResolution).u16(1).u8(9).zeros(3); // 10^-9 s
    out.u16(0).u16(0);                                   // end of options
    out.u32(kInterfaceSize);
}

} // namespace

std::uint32_t link_type_number(LinkType link) {
    switch (link) {
    case LinkType::ethernet: return 1;
    case LinkType::raw_ip: return 101;
    case LinkType::null_host: return 0;
    case LinkType::loop_network: return 108;
    case LinkType::linux_cooked: return 113;
    case LinkType::linux_cooked2: return 276;
    case LinkType::ppp: return 9;
    case LinkType::ppp_serial: return 50;
    case LinkType::pppoe: return 51;
    case LinkType::fddi: return 10;
    case LinkType::ieee802_11: return 105;
    case LinkType::radiotap: return 127;
    case LinkType::nflog: return 239;
    case LinkType::unknown: break;
    }
    return 147; // LINKTYPE_USER0: reserved for private use
}

CaptureWriter::CaptureWriter(const CaptureOptions& options) : options_(options) {
    ByteWriter out(bytes_, options_.little_endian);
    const std::uint32_t link_type = options_.link_type_number.value_or(link_type_number(options_.link));
    options_.format == CaptureFormat::pcapng ? start_pcapng(out, options_, link_type)
                                             : start_pcap(out, options_, link_type);
}

void CaptureWriter::add(const TimedFrame& frame) {
    const auto captured = std::span(frame.bytes).first(std::min<std::size_t>(frame.bytes.size(), options_.snaplen));
    options_.format == CaptureFormat::pcapng ? add_pcapng(frame, captured) : add_pcap(frame, captured);
}

void CaptureWriter::add_pcap(const TimedFrame& frame, std::span<const std::uint8_t> captured) {
    const Duration unit = options_.format == CaptureFormat::pcap_nano ? 1 : kMicrosecond;
    ByteWriter out(bytes_, options_.little_endian);
    out.u32(static_cast<std::uint32_t>(frame.time / kSecond));
    out.u32(static_cast<std::uint32_t>(frame.time % kSecond / unit));
    out.u32(static_cast<std::uint32_t>(captured.size())).u32(frame.wire_length).append(captured);
}

void CaptureWriter::add_pcapng(const TimedFrame& frame, std::span<const std::uint8_t> captured) {
    constexpr std::uint32_t kEnhancedPacketOverhead = 32;
    const std::size_t padding = (4 - captured.size() % 4) % 4;
    const auto size = static_cast<std::uint32_t>(kEnhancedPacketOverhead + captured.size() + padding);
    const auto time = static_cast<std::uint64_t>(frame.time);
    ByteWriter out(bytes_, options_.little_endian);
    out.u32(6).u32(size).u32(0); // interface 0
    out.u32(static_cast<std::uint32_t>(time >> 32)).u32(static_cast<std::uint32_t>(time));
    out.u32(static_cast<std::uint32_t>(captured.size())).u32(frame.wire_length);
    out.append(captured).zeros(padding).u32(size);
}

void CaptureWriter::save(const std::string& path) const {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

Trace& Trace::at(Timestamp time) {
    now_ = time;
    return *this;
}

Trace& Trace::wait(Duration duration) { return at(now_ + duration); }

Trace& Trace::add(Bytes frame, std::optional<std::uint32_t> wire_length) {
    const auto length = wire_length.value_or(static_cast<std::uint32_t>(frame.size()));
    frames_.push_back({now_, std::move(frame), length});
    return wait(step_);
}

Trace& Trace::swap_last_two() {
    if (frames_.size() < 2) throw std::logic_error("swap_last_two: fewer than two frames");
    auto& last = frames_.back();
    auto& before = frames_[frames_.size() - 2];
    std::swap(last, before);
    std::swap(last.time, before.time);
    return *this;
}

std::vector<PacketView> Trace::views(LinkType link) const {
    std::vector<PacketView> views;
    Timestamp highest = 0;
    for (const TimedFrame& frame : frames_) {
        highest = std::max(highest, frame.time);
        PacketView view;
        view.data = frame.bytes.data();
        view.captured = static_cast<std::uint32_t>(frame.bytes.size());
        view.length = frame.wire_length;
        view.time = frame.time;
        view.now = highest;
        view.number = views.size() + 1;
        view.link = link;
        views.push_back(view);
    }
    return views;
}

Bytes Trace::file(const CaptureOptions& options) const {
    CaptureWriter writer(options);
    for (const TimedFrame& frame : frames_) writer.add(frame);
    return writer.bytes();
}

void Trace::save(const std::string& path, const CaptureOptions& options) const {
    CaptureWriter writer(options);
    for (const TimedFrame& frame : frames_) writer.add(frame);
    writer.save(path);
}

} // namespace ftpsensor::test
