// Capture files, one after another, as one capture: pcap, nanosecond pcap and pcapng by libpcap; "-" is standard input.
//
// The packets of a pcap file are handed out where they lie in the file (pcap_records.h), those of others in libpcap's
// buffer.
// A file that is damaged is read up to there, and the next one goes on: what went wrong is kept for the summary. So is
// a file whose kind of link the filter is not good for. An interrupt ends the reading (of a pipe: pipe_stream.h). One
// thread.
#pragma once

#include "core/packet/packet_view.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pcap_pkthdr;

namespace ftpsensor {

class Interrupt;
class MappedFile;

struct DamagedCapture {
    std::string path;
    std::uint64_t packets = 0; // read before the damage
    std::string reason;        // as libpcap says it
};

struct StoppedCapture {
    std::string path;
    std::uint64_t packets = 0; // read before
};

class CaptureReader {
public:
    // `filter`: a BPF expression, or empty. Throws std::runtime_error: a filter that compiles for no kind of link.
    // `interrupt`, if any, ends the reading, and outlives this.
    CaptureReader(std::vector<std::string> paths, std::string filter, const Interrupt* interrupt = nullptr);
    ~CaptureReader();
    CaptureReader(const CaptureReader&) = delete;
    CaptureReader& operator=(const CaptureReader&) = delete;

    // The next packet; its bytes stay valid until the next call, or while memory() is owned. False: no more.
    bool next(PacketView& packet);
    // What the last packet's bytes lie in. Null: in a buffer that the next packet takes.
    const std::shared_ptr<const MappedFile>& memory() const;

    const std::vector<DamagedCapture>& damaged() const { return damaged_; }
    const std::optional<StoppedCapture>& stopped() const { return stopped_; } // where an interrupt ended it
    std::uint64_t wrong_times() const { return wrong_times_; } // packets whose stamp was out of all range
    std::uint64_t late() const { return late_; }               // packets over a minute before the time that was reached
    Duration latest() const { return latest_; }                // the most of it
    std::uint64_t bytes_read() const;                          // of all files, for progress
    std::uint64_t bytes_total() const { return bytes_total_; } // 0: not known (standard input)

private:
    struct File;
    bool open_next();
    bool read(pcap_pkthdr& header, const std::uint8_t*& data);
    Timestamp time_of(const pcap_pkthdr& header);
    void note_late(Timestamp time);
    bool asked_to_stop() const;

    static constexpr Duration kLateAfter = kMinute;

    std::vector<std::string> paths_;
    std::string filter_;
    const Interrupt* interrupt_;
    std::size_t next_path_ = 0;
    std::unique_ptr<File> file_;
    std::vector<DamagedCapture> damaged_;
    std::uint64_t bytes_done_ = 0;
    std::uint64_t bytes_total_ = 0;
    std::uint64_t number_ = 0;
    std::uint64_t wrong_times_ = 0;
    std::uint64_t late_ = 0;
    Duration latest_ = 0;
    std::optional<StoppedCapture> stopped_;
    Timestamp now_ = INT64_MIN;
};

} // namespace ftpsensor
