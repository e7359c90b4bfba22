// Fuzzes CaptureReader: whatever a file holds, packets come out that lie in memory, or a reason why not.
//
// An input: the bytes of a capture file. libpcap, which reads it, is the system's and not instrumented; what it hands
// on is. Each packet is decoded, too.
#include "core/packet/decode.h"
#include "daemon/offline/capture_reader.h"
#include "tests/fuzz/fuzz_input.h"

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr unsigned kPacketsMax = 10'000; // of a few bytes each; a small input cannot hold more

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const int fd = ::memfd_create("capture", MFD_CLOEXEC);
    require(fd >= 0 && ::write(fd, data, size) == static_cast<ssize_t>(size), "a file in memory");
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    {
        CaptureReader reader({path, "/nonexistent/second.pcap"}, "");
        EventCounters events;
        Decoder decoder({.fragment_bytes_max = 64 * 1024, .fragment_datagrams_max = 4}, events);
        DecodedPacket decoded;
        PacketView packet;
        Timestamp now = INT64_MIN;
        std::uint64_t packets = 0;
        while (reader.next(packet)) {
            require(++packets <= kPacketsMax, "it comes to an end");
            require(packet.number == packets && packet.captured <= packet.length, "what a packet is");
            require(packet.now >= now && packet.now >= packet.time, "time does not go back");
            now = packet.now;
            decoder.decode(packet, decoded);
        }
        require(!reader.damaged().empty() && reader.damaged().back().path == "/nonexistent/second.pcap",
                "and the next file was tried");
        require(reader.bytes_total() == size && reader.bytes_read() <= size, "progress");
    }
    ::close(fd);
    return 0;
}
