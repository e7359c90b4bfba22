// Fuzzes CaptureReader against libpcap, which reads the same bytes in the plainest way: the same packets come out, they
// lie in memory that is there, and what is damaged for the one is so for the other.
//
// An input: the bytes of a capture file. The last of them also says how it is read: from a file or a pipe, by which
// filter, and whether an interrupt comes between two packets. libpcap is the system's and not instrumented; what it
// hands on is. Each packet is decoded, too.
#include "core/packet/decode.h"
#include "daemon/offline/capture_reader.h"
#include "daemon/offline/interrupt.h"
#include "daemon/offline/mapped_file.h"
#include "tests/fuzz/fuzz_input.h"

#include <csignal>
#include <cstring>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <pcap/pcap.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr unsigned kPacketsMax = 10'000; // of a few bytes each; a small input cannot hold more
constexpr std::size_t kPipeBytesMax = 60'000;
constexpr const char* kMissing = "/nonexistent/second.pcap";

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) { require(fd >= 0, "a descriptor"); }
    ~Descriptor() { ::close(fd_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
    int number() const { return fd_; }

private:
    int fd_;
};

struct Reading { // how it is read
    const char* filter = "";
    bool from_pipe = false;
    std::optional<unsigned> interrupted = {}; // behind so many packets

    static Reading of(std::uint8_t option, std::size_t size) {
        constexpr const char* kFilters[] = {
            "", "", "", "", "tcp port 21", "ip6 or vlan", "greater 100", "wlan type data"};
        Reading reading;
        reading.filter = kFilters[option & 7];
        reading.from_pipe = (option & 0x18) == 8 && size <= kPipeBytesMax;
        if ((option & 0x18) == 0x18) reading.interrupted = option >> 5;
        return reading;
    }
};

// libpcap by itself.
class Reference {
public:
    Reference(const std::string& path, const char* filter) {
        char error[PCAP_ERRBUF_SIZE] = "";
        handle_ = ::pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
        damaged_ = handle_ == nullptr;
        if (damaged_ || *filter == 0) return;
        filtered_ = ::pcap_compile(handle_, &program_, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
        damaged_ = !filtered_;
    }
    ~Reference() {
        ::pcap_freecode(&program_);
        if (handle_ != nullptr) ::pcap_close(handle_);
    }
    Reference(const Reference&) = delete;
    Reference& operator=(const Reference&) = delete;

    bool next() {
        while (!damaged_) {
            const int result = ::pcap_next_ex(handle_, &header, &data);
            damaged_ = result == PCAP_ERROR;
            if (result != 1) return false;
            if (!filtered_ || ::pcap_offline_filter(&program_, header, data) != 0) return true;
        }
        return false;
    }
    bool damaged() const { return damaged_; }

    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;

private:
    pcap_t* handle_ = nullptr;
    bpf_program program_{};
    bool filtered_ = false;
    bool damaged_ = false;
};

void require_packet(const PacketView& packet, const CaptureReader& reader, const Reference& reference) {
    const pcap_pkthdr& header = *reference.header;
    require(packet.captured == header.caplen && packet.length == std::max(header.len, header.caplen), "as long");
    if (const auto& memory = reader.memory())
        require(packet.data >= memory->data() && packet.data + packet.captured <= memory->data() + memory->size(),
                "within the file");
    require(std::memcmp(packet.data, reference.data, packet.captured) == 0, "the same bytes");
}

// The stamp, or that of the packet before where no clock shows such a one. libpcap (1.10.3) takes the seconds of a pcap
// file as a signed number, so that 1901 comes after January 2038; in place they have no sign, as pcap-savefile(5) says.
void require_time(const PacketView& packet, pcap_pkthdr header, Timestamp before, bool wrong, bool in_place) {
    if (in_place) header.ts.tv_sec = static_cast<std::uint32_t>(header.ts.tv_sec);
    const bool possible = header.ts.tv_sec >= 0 && header.ts.tv_sec <= time_t{1} << 33 && header.ts.tv_usec >= 0 &&
                          header.ts.tv_usec < kSecond;
    require(wrong == !possible, "a stamp that is none is counted");
    require(packet.time == (possible ? header.ts.tv_sec * kSecond + header.ts.tv_usec : std::max<Timestamp>(before, 0)),
            "its time");
    require(packet.now == std::max(before, packet.time), "time does not go back");
}

void read(const std::string& path, const std::string& plain, std::size_t size, const Reading& how) {
    std::optional<Interrupt> interrupt;
    if (how.from_pipe || how.interrupted) interrupt.emplace();
    CaptureReader reader({path, kMissing}, how.filter, interrupt ? &*interrupt : nullptr);
    Reference reference(plain, how.filter);
    EventCounters events;
    Decoder decoder({.fragment_bytes_max = 64 * 1024, .fragment_datagrams_max = 4}, events);
    DecodedPacket decoded;
    PacketView packet;
    Timestamp now = INT64_MIN;
    std::uint64_t packets = 0, wrong_times = 0;
    if (how.interrupted == 0u) std::raise(SIGTERM);
    while (reader.next(packet)) {
        require(++packets <= kPacketsMax, "it comes to an end");
        require(reference.next(), "no more packets than there are");
        require(packet.number == packets, "numbered");
        require_packet(packet, reader, reference);
        require_time(packet, *reference.header, now, reader.wrong_times() != wrong_times, reader.memory() != nullptr);
        wrong_times = reader.wrong_times();
        now = packet.now;
        decoder.decode(packet, decoded);
        if (how.interrupted == packets) std::raise(SIGTERM);
    }
    const bool stopped = how.interrupted && packets == *how.interrupted;
    require(stopped == reader.stopped().has_value(), "told where it was interrupted");
    const std::size_t damaged = reader.damaged().size();
    if (!stopped) {
        require(!reference.next(), "no fewer packets than there are");
        require(damaged == (reference.damaged() ? 2 : 1), "damaged for both");
        require(reader.damaged().back().path == kMissing, "and the next file was tried");
    } else {
        require(reader.stopped()->packets == packets && damaged == 0, "it stands where it was interrupted");
    }
    if (damaged == 2)
        require(reader.damaged()[0].path == path && reader.damaged()[0].packets == packets, "damaged behind so many");
    if (how.from_pipe) return;
    require(reader.bytes_total() == size && reader.bytes_read() <= size, "progress");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Reading how = Reading::of(data[size - 1], size);
    const Descriptor file(::memfd_create("capture", MFD_CLOEXEC));
    require(::write(file.number(), data, size) == static_cast<ssize_t>(size), "a file in memory");
    if (!how.from_pipe) {
        read(file.path(), file.path(), size, how);
        return 0;
    }
    int ends[2];
    require(::pipe2(ends, O_CLOEXEC) == 0, "a pipe");
    const Descriptor out(ends[0]);
    {
        const Descriptor in(ends[1]);
        require(::write(in.number(), data, size) == static_cast<ssize_t>(size), "which holds all");
    }
    // Opened by its name, a pipe without a writer would be waited for.
    const int standard = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    require(::dup2(out.number(), STDIN_FILENO) == STDIN_FILENO, "as standard input");
    read("-", file.path(), size, how);
    if (standard >= 0) {
        ::dup2(standard, STDIN_FILENO);
        ::close(standard);
    } else {
        ::close(STDIN_FILENO);
    }
    return 0;
}
