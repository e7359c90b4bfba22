// The records of a capture file of the classic format (pcap 2.4), in place: nothing is copied.
//
// libpcap has read the file's header and says what the packets are; this walks over the records (pcap-savefile(5)) as
// it would, in either byte order, with stamps of micro- or nanoseconds. Other formats, and what can't be mapped, are
// left to libpcap. One thread.
#pragma once

#include "daemon/offline/mapped_file.h"

#include <array>
#include <memory>
#include <optional>
#include <string>

#include <pcap/pcap.h>

namespace ftpsensor {

class PcapRecords {
public:
    // `header`: the same file, opened with stamps in nanoseconds, and nothing of it read.
    static std::optional<PcapRecords> of(pcap_t* header);

    enum class Next { packet, end, damaged };
    // The next packet; its bytes stay as long as memory() is owned by somebody.
    Next next(pcap_pkthdr& header, const std::uint8_t*& data);

    const std::string& damage() const { return damage_; } // after Next::damaged
    std::uint64_t bytes_read() const { return at_; }
    const std::shared_ptr<const MappedFile>& memory() const { return memory_; }

private:
    PcapRecords(std::shared_ptr<const MappedFile> memory, bool swapped, bool nanoseconds, std::uint32_t snapshot)
        : memory_(std::move(memory)), swapped_(swapped), nanoseconds_(nanoseconds), snapshot_(snapshot) {}
    std::uint32_t number(std::size_t at) const;
    Next damaged(std::string why);
    void fetch_ahead();

    static constexpr std::size_t kFileHeader = 24;
    static constexpr std::size_t kRecordHeader = 16;
    static constexpr std::uint32_t kCapturedMax = 262'144; // libpcap's MAXIMUM_SNAPLEN

    std::shared_ptr<const MappedFile> memory_;
    bool swapped_;
    bool nanoseconds_;
    std::uint32_t snapshot_;
    std::size_t at_ = kFileHeader;
    std::array<std::size_t, 24> places_{}; // of the last records: 24 is a multiple of the short periods
    std::size_t records_ = 0;
    std::string damage_;
};

} // namespace ftpsensor
