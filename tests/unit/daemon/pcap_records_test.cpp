// Records of pcap files, in place: what libpcap reads of the same bytes, whole, cut, damaged, and cut while it is read.
#include "daemon/offline/capture_reader.h"
#include "daemon/offline/pcap_records.h"
#include "tests/support/capture_writer.h"
#include "tests/support/catch.h"

#include <cstdio>
#include <cstring>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

class MemoryFile {
public:
    explicit MemoryFile(std::span<const std::uint8_t> bytes) : fd_(::memfd_create("capture", MFD_CLOEXEC)) {
        REQUIRE(::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    ~MemoryFile() { ::close(fd_); }
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
    int fd() const { return fd_; }

private:
    int fd_;
};

struct Packet {
    std::int64_t seconds, fraction;
    std::uint32_t captured, length;
    std::vector<std::uint8_t> bytes;
    friend bool operator==(const Packet&, const Packet&) = default;
};

struct Reading {
    std::vector<Packet> packets;
    bool damaged = false;
    bool in_place = false;
};

Packet packet_of(const pcap_pkthdr& h, const std::uint8_t* data) {
    return {h.ts.tv_sec, h.ts.tv_usec, h.caplen, h.len, {data, data + h.caplen}};
}

pcap_t* opened(const std::string& path) {
    char error[PCAP_ERRBUF_SIZE];
    return ::pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
}

Reading by_libpcap(const std::string& path) {
    Reading reading;
    pcap_t* const handle = opened(path);
    REQUIRE(handle != nullptr);
    pcap_pkthdr* header;
    const u_char* data;
    int result;
    while ((result = ::pcap_next_ex(handle, &header, &data)) == 1) reading.packets.push_back(packet_of(*header, data));
    reading.damaged = result == PCAP_ERROR;
    ::pcap_close(handle);
    return reading;
}

Reading by_records(const std::string& path) {
    Reading reading;
    pcap_t* const handle = opened(path);
    REQUIRE(handle != nullptr);
    if (auto records = PcapRecords::of(handle)) {
        reading.in_place = true;
        pcap_pkthdr header{};
        const std::uint8_t* data = nullptr;
        PcapRecords::Next result;
        while ((result = records->next(header, data)) == PcapRecords::Next::packet)
            reading.packets.push_back(packet_of(header, data));
        reading.damaged = result == PcapRecords::Next::damaged;
    }
    ::pcap_close(handle);
    return reading;
}

Trace some_frames() {
    Trace trace;
    for (std::size_t size : {60u, 1514u, 61u, 0u, 9000u}) trace.add(Bytes(size, static_cast<std::uint8_t>(size)));
    trace.add(Bytes(70, 7), 1400); // captured in part
    return trace;
}

void same_as_libpcap(const Bytes& file) {
    const MemoryFile memory(file);
    const Reading ours = by_records(memory.path()), theirs = by_libpcap(memory.path());
    CHECK(ours.in_place);
    CHECK(ours.packets == theirs.packets);
    CHECK(ours.damaged == theirs.damaged);
}

} // namespace

TEST_CASE("stamps of either kind, numbers of either order, cut to a snapshot") {
    for (const CaptureFormat format : {CaptureFormat::pcap_micro, CaptureFormat::pcap_nano})
        for (const bool little : {true, false})
            for (const std::uint32_t snaplen : {262144u, 100u})
                same_as_libpcap(some_frames().file({.format = format, .snaplen = snaplen, .little_endian = little}));
}

TEST_CASE("a file that was cut, anywhere") {
    const Bytes file = some_frames().file();
    for (std::size_t size = 24; size <= file.size(); size += size < 200 ? 1 : 37)
        same_as_libpcap(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
}

TEST_CASE("lengths that are wrong") {
    for (const std::uint32_t length : {70u, 262'144u, 262'145u, 0x7fffffffu, 0xffffffffu}) {
        Bytes file = some_frames().file();
        std::memcpy(file.data() + 24 + 8, &length, sizeof length); // of the first packet
        same_as_libpcap(file);
    }
}

TEST_CASE("other formats are libpcap's") {
    for (const CaptureOptions& options :
         {CaptureOptions{.format = CaptureFormat::pcapng},
          CaptureOptions{.link = LinkType::nflog, .little_endian = false}}) { // whose numbers libpcap turns
        const MemoryFile memory(some_frames().file(options));
        CHECK_FALSE(by_records(memory.path()).in_place);
        CaptureReader reader({memory.path()}, "");
        PacketView packet;
        std::size_t packets = 0;
        for (; reader.next(packet); ++packets) CHECK_FALSE(reader.memory());
        CHECK(packets == 6);
    }
}

TEST_CASE("a file that somebody cuts while it is read is damaged, and nothing else happens") {
    Trace trace;
    for (int i = 0; i < 1000; ++i) trace.add(Bytes(1000, 1));
    const MemoryFile memory(trace.file());
    CaptureReader reader({memory.path()}, "");
    PacketView packet;
    REQUIRE(reader.next(packet));
    REQUIRE(::ftruncate(memory.fd(), 50'000) == 0);
    std::size_t packets = 1, sum = 0;
    while (reader.next(packet)) {
        ++packets;
        for (std::size_t i = 0; i < packet.captured; ++i) sum += packet.data[i]; // some of it is gone
    }
    CHECK(packets < 100);
    CHECK(sum > 0);
    REQUIRE(reader.damaged().size() == 1);
    CHECK(reader.damaged()[0].reason == "the file became shorter while it was read");
}

TEST_CASE("a filter") {
    Trace trace = some_frames();
    const MemoryFile memory(trace.file());
    CaptureReader reader({memory.path()}, "greater 100");
    PacketView packet;
    std::vector<std::uint32_t> sizes;
    while (reader.next(packet)) sizes.push_back(packet.length);
    CHECK(sizes == std::vector<std::uint32_t>{1514, 9000, 1400});
}
