// Capture files for tests: a Trace collects frames with their times, CaptureWriter makes a file's bytes of them.
//
// The formats are those of libpcap's savefiles (pcap-savefile(5); draft-ietf-opsawg-pcap) and of pcapng
// (draft-ietf-opsawg-pcapng). One thread at a time. save() throws std::runtime_error where the file can't be written.
#pragma once

#include "core/base/time.h"
#include "core/packet/packet_view.h"
#include "tests/support/packet_builder.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ftpsensor::test {

enum class CaptureFormat : std::uint8_t { pcap_micro, pcap_nano, pcapng };

struct CaptureOptions {
    CaptureFormat format = CaptureFormat::pcap_micro;
    LinkType link = LinkType::ethernet;
    std::optional<std::uint32_t> link_type_number = {}; // LINKTYPE_*, where `link` has none for it
    std::uint32_t snaplen = 262144;                     // longer frames are cut to it
    bool little_endian = true;                          // the byte order of the file's own numbers
};

// The LINKTYPE_* of a capture file for `link`.
std::uint32_t link_type_number(LinkType link);

struct TimedFrame {
    Timestamp time = 0;
    Bytes bytes;                   // as captured
    std::uint32_t wire_length = 0; // >= bytes.size()
};

class CaptureWriter {
public:
    explicit CaptureWriter(const CaptureOptions& options = {}); // writes the file's header
    void add(const TimedFrame& frame);
    const Bytes& bytes() const { return bytes_; }
    void save(const std::string& path) const;

private:
    void add_pcap(const TimedFrame& frame, std::span<const std::uint8_t> captured);
    void add_pcapng(const TimedFrame& frame, std::span<const std::uint8_t> captured);

    CaptureOptions options_;
    Bytes bytes_;
};

// Frames in the order in which a port saw them, stamped by a clock of its own: each frame takes now(), and the clock
// then goes on by `step`. Conversations that share a Trace interleave as their calls do.
class Trace {
public:
    static constexpr Timestamp kDefaultStart = 1'600'000'000 * kSecond; // 2020-09-13T12:26:40Z

    explicit Trace(Timestamp start = kDefaultStart, Duration step = kMillisecond) : now_(start), step_(step) {}

    Timestamp now() const { return now_; }
    Trace& at(Timestamp time); // may go back
    Trace& wait(Duration duration);
    Trace& add(Bytes frame, std::optional<std::uint32_t> wire_length = {});
    Trace& add(const std::vector<Header>& headers) { return add(build(headers)); }
    Trace& swap_last_two(); // the frames change places; their times do not, so that time keeps its order

    const std::vector<TimedFrame>& frames() const& { return frames_; }
    std::vector<TimedFrame>& frames() & { return frames_; }
    void frames() && = delete; // a loop over a temporary's frames would outlive them
    // As a source hands them to a worker: numbered from 1, `now` the highest time so far. Views into this Trace.
    std::vector<PacketView> views(LinkType link = LinkType::ethernet) const;

    Bytes file(const CaptureOptions& options = {}) const;
    void save(const std::string& path, const CaptureOptions& options = {}) const;

private:
    Timestamp now_;
    Duration step_;
    std::vector<TimedFrame> frames_;
};

} // namespace ftpsensor::test
