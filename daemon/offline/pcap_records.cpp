#include "daemon/offline/pcap_records.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

namespace ftpsensor {

namespace {
constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d;
} // namespace

std::optional<PcapRecords> PcapRecords::of(pcap_t* header) {
    std::FILE* const file = ::pcap_file(header);
    if (file == nullptr || ::pcap_major_version(header) != 2 || ::pcap_minor_version(header) != 4) return std::nullopt;
    const bool swapped = ::pcap_is_swapped(header) != 0;
    // Of some link types libpcap turns numbers inside of the packets.
    if (swapped && ::pcap_datalink(header) != DLT_EN10MB) return std::nullopt;
    // Standard input may be a file that somebody has read from: its header is elsewhere then.
    if (::ftello(file) != static_cast<off_t>(kFileHeader)) return std::nullopt;
    auto memory = MappedFile::of(::fileno(file));
    if (!memory || memory->size() < kFileHeader) return std::nullopt;
    std::uint32_t magic;
    std::memcpy(&magic, memory->data(), sizeof magic);
    if (swapped) magic = __builtin_bswap32(magic);
    if (magic != kMicroseconds && magic != kNanoseconds) return std::nullopt;
    return PcapRecords(std::move(memory), swapped, magic == kNanoseconds,
                       static_cast<std::uint32_t>(::pcap_snapshot(header)));
}

std::uint32_t PcapRecords::number(std::size_t at) const {
    std::uint32_t n;
    std::memcpy(&n, memory_->data() + at, sizeof n);
    return swapped_ ? __builtin_bswap32(n) : n;
}

PcapRecords::Next PcapRecords::damaged(std::string why) {
    damage_ = memory_->truncated() ? "the file became shorter while it was read" : std::move(why);
    return Next::damaged;
}

// Where each record begins, the one before says: without a guess each is waited for. Traffic repeats itself (two full
// segments, an acknowledgement), so the next records are taken to be as long together as the last ones were. Where that
// is wrong, or beyond the file, nothing happens.
void PcapRecords::fetch_ahead() {
    constexpr std::size_t kLine = 64;
    std::size_t& before = places_[records_++ % places_.size()];
    const std::uint8_t* const guess = memory_->data() + std::min(at_ + (at_ - before), memory_->size());
    before = at_;
    __builtin_prefetch(guess);
    __builtin_prefetch(guess + kLine); // the packet's headers reach into it
}

PcapRecords::Next PcapRecords::next(pcap_pkthdr& header, const std::uint8_t*& data) {
    const std::size_t left = memory_->size() - at_;
    if (left == 0 && !memory_->truncated()) return Next::end;
    if (left < kRecordHeader)
        return damaged(fmt::format("the file ends in the header of a packet, {} of {} bytes", left, kRecordHeader));
    const std::uint32_t seconds = number(at_), fraction = number(at_ + 4);
    const std::uint32_t captured = number(at_ + 8), length = number(at_ + 12);
    if (captured > kCapturedMax || memory_->truncated() || (captured == 0 && memory_->has_shrunk()))
        return damaged(fmt::format("a packet of {} bytes, more than {}", captured, kCapturedMax));
    if (captured > left - kRecordHeader)
        return damaged(fmt::format("the file ends in a packet, {} of {} bytes", left - kRecordHeader, captured));
    header.ts.tv_sec = seconds;
    header.ts.tv_usec = static_cast<std::int32_t>(fraction); // nanoseconds, as CaptureReader asks of libpcap
    if (!nanoseconds_) header.ts.tv_usec *= 1000;
    header.caplen = std::min(captured, snapshot_);
    header.len = length;
    data = memory_->data() + at_ + kRecordHeader;
    fetch_ahead();
    at_ += kRecordHeader + captured;
    return Next::packet;
}

} // namespace ftpsensor
