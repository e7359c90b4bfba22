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

TEST_CASE("a file that somebody has read from begins there: libpcap's") {
    const Bytes before = Trace().add(Bytes(60, 1)).file(), capture = some_frames().file();
    Bytes both = before;
    both.insert(both.end(), capture.begin(), capture.end());
    const MemoryFile memory(both);
    REQUIRE(::lseek(memory.fd(), static_cast<off_t>(before.size()), SEEK_SET) > 0);
    const int input = ::dup(STDIN_FILENO);
    REQUIRE(::dup2(memory.fd(), STDIN_FILENO) == STDIN_FILENO);
    CHECK_FALSE(by_records("-").in_place);                                       // closes no standard input
    REQUIRE(std::fseek(stdin, static_cast<long>(before.size()), SEEK_SET) == 0); // and forgets what it read
    std::vector<std::uint32_t> sizes;
    CaptureReader reader({"-"}, "");
    for (PacketView packet; reader.next(packet);) sizes.push_back(packet.length);
    CHECK(sizes == std::vector<std::uint32_t>{60, 1514, 61, 0, 9000, 1400});
    CHECK(reader.damaged().empty());
    REQUIRE(::dup2(input, STDIN_FILENO) == STDIN_FILENO);
    ::close(input);
}

TEST_CASE("a fraction of a second that is more than one is no time, and counted") {
    struct Case {
        CaptureFormat format;
        std::uint32_t fraction;
        bool wrong;
    };
    for (const auto& c :
         {Case{CaptureFormat::pcap_micro, 999'999, false}, Case{CaptureFormat::pcap_micro, 1'000'000, true},
          Case{CaptureFormat::pcap_micro, 0x7fffffff, true}, Case{CaptureFormat::pcap_micro, 0xffffffff, true},
          Case{CaptureFormat::pcap_nano, 999'999'999, false}, Case{CaptureFormat::pcap_nano, 1'000'000'000, true}}) {
        Bytes file = Trace().add(Bytes(60, 1)).add(Bytes(60, 2)).file({.format = c.format});
        std::memcpy(file.data() + 24 + 16 + 60 + 4, &c.fraction, sizeof c.fraction); // of the second packet
        const MemoryFile memory(file);
        CaptureReader reader({memory.path()}, "");
        PacketView first, second;
        REQUIRE(reader.next(first));
        REQUIRE(reader.next(second));
        CHECK(reader.wrong_times() == (c.wrong ? 1 : 0));
        CHECK((second.time == first.time) == c.wrong);
    }
}

TEST_CASE("what comes behind a stamp far ahead is counted, a gap of days is not") {
    Trace trace;
    trace.add(Bytes(60, 1)).wait(72 * kHour).add(Bytes(60, 2)); // quiet days
    const Timestamp now = trace.now();
    trace.at(now + 24 * kHour).add(Bytes(60, 3)); // a wrong clock
    trace.at(now).add(Bytes(60, 4)).wait(kHour).add(Bytes(60, 5));
    const MemoryFile memory(trace.file());
    CaptureReader reader({memory.path()}, "");
    PacketView packet;
    for (int i = 0; i < 3; ++i) REQUIRE(reader.next(packet));
    CHECK(reader.late() == 0);
    while (reader.next(packet)) {
    }
    CHECK(reader.late() == 2);
    CHECK(reader.latest() == 24 * kHour);
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

TEST_CASE("a file of a link type that the filter is not good for is left out, and the next is read") {
    const MemoryFile odd(some_frames().file({.link_type_number = 195})), good(some_frames().file()); // IEEE 802.15.4
    CaptureReader reader({odd.path(), good.path()}, "tcp or udp or greater 100");
    PacketView packet;
    std::size_t packets = 0;
    while (reader.next(packet)) ++packets;
    CHECK(packets == 3);
    REQUIRE(reader.damaged().size() == 1);
    CHECK(reader.damaged()[0].path == odd.path());
    CHECK_THAT(reader.damaged()[0].reason, Catch::Contains("capture.filter: "));
}

TEST_CASE("a filter that is good for one kind of link may be given; one that is good for none is refused at once") {
    const MemoryFile memory(some_frames().file());
    CaptureReader wireless({memory.path()}, "wlan type data");
    PacketView packet;
    CHECK_FALSE(wireless.next(packet));
    CHECK(wireless.damaged().size() == 1);
    CHECK_THROWS_WITH((CaptureReader{{memory.path()}, "tpc port 21"}), Catch::Contains("capture.filter: "));
}
