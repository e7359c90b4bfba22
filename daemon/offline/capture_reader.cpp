#include "daemon/offline/capture_reader.h"

#include "daemon/offline/pcap_records.h"
#include "daemon/offline/pipe_stream.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include <pcap/pcap.h>
#include <sys/stat.h>

namespace ftpsensor {

namespace {

constexpr std::pair<int, LinkType> kLinkTypes[] = {
    {DLT_EN10MB, LinkType::ethernet}, // first: whose reason is told where a filter is good for none
    {DLT_RAW, LinkType::raw_ip},
    {DLT_IPV4, LinkType::raw_ip},
    {DLT_IPV6, LinkType::raw_ip},
    {DLT_NULL, LinkType::null_host},
    {DLT_LOOP, LinkType::loop_network},
    {DLT_LINUX_SLL, LinkType::linux_cooked},
    {DLT_LINUX_SLL2, LinkType::linux_cooked2},
    {DLT_PPP, LinkType::ppp},
    {DLT_PPP_SERIAL, LinkType::ppp_serial},
    {DLT_PPP_ETHER, LinkType::pppoe},
    {DLT_FDDI, LinkType::fddi},
    {DLT_IEEE802_11, LinkType::ieee802_11},
    {DLT_IEEE802_11_RADIO, LinkType::radiotap},
    {DLT_NFLOG, LinkType::nflog},
};

LinkType link_type(int dlt) {
    for (const auto& [number, type] : kLinkTypes)
        if (number == dlt) return type;
    return LinkType::unknown;
}

int compile(pcap_t* handle, bpf_program& program, const std::string& filter) {
    return ::pcap_compile(handle, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN);
}

// An expression may be good for some link types only (`wlan`): it is wrong where it is good for none.
void require_filter(const std::string& filter) {
    std::string reason;
    for (const auto& [dlt, type] : kLinkTypes) {
        constexpr int kSnapshot = 65535; // what a matching program returns; no bound of ours
        const std::unique_ptr<pcap_t, decltype(&::pcap_close)> handle(::pcap_open_dead(dlt, kSnapshot), ::pcap_close);
        bpf_program program{};
        const bool good = handle && compile(handle.get(), program, filter) == 0;
        ::pcap_freecode(&program);
        if (good) return;
        if (reason.empty()) reason = handle ? ::pcap_geterr(handle.get()) : "out of memory";
    }
    throw std::runtime_error("capture.filter: " + reason + " in \"" + filter + "\"");
}

std::uint64_t file_size(const std::string& path) {
    struct stat status {};
    if (path == "-" || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    return static_cast<std::uint64_t>(status.st_size);
}

} // namespace

struct CaptureReader::File {
    File(std::string p, std::unique_ptr<PipeStream> s, pcap_t* h) : path(std::move(p)), pipe(std::move(s)), handle(h) {}
    ~File() {
        ::pcap_freecode(&filter);
        ::pcap_close(handle);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    std::string path;
    std::unique_ptr<PipeStream> pipe; // outlives the handle, which reads from it
    pcap_t* handle;
    std::optional<PcapRecords> records; // else libpcap reads them
    bpf_program filter{};
    LinkType link = LinkType::unknown;
    std::uint64_t packets = 0;
};

CaptureReader::CaptureReader(std::vector<std::string> paths, std::string filter, const Interrupt* interrupt)
    : paths_(std::move(paths)), filter_(std::move(filter)), interrupt_(interrupt) {
    if (!filter_.empty()) require_filter(filter_);
    for (const auto& path : paths_) bytes_total_ += file_size(path);
}

CaptureReader::~CaptureReader() = default;

namespace {

pcap_t* open_capture(const std::string& path, PipeStream* pipe, char* error) {
    if (pipe == nullptr)
        return ::pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
    std::FILE* const file = pipe->file();
    if (file == nullptr) throw std::bad_alloc();
    pcap_t* const handle = ::pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
    if (handle == nullptr) std::fclose(file); // else it is the handle's
    return handle;
}

} // namespace

bool CaptureReader::open_next() {
    if (file_) bytes_done_ += file_size(file_->path);
    file_.reset();
    while (next_path_ < paths_.size() && !asked_to_stop()) {
        const std::string& path = paths_[next_path_++];
        auto pipe = interrupt_ != nullptr ? PipeStream::open(path, *interrupt_) : nullptr;
        char error[PCAP_ERRBUF_SIZE] = "";
        pcap_t* handle = open_capture(path, pipe.get(), error);
        if (handle == nullptr) {
            if (asked_to_stop())
                stopped_ = {path, 0};
            else
                damaged_.push_back({path, 0, error});
            bytes_done_ += file_size(path);
            continue;
        }
        auto file = std::make_unique<File>(path, std::move(pipe), handle);
        file->link = link_type(::pcap_datalink(handle));
        if (!filter_.empty() && compile(handle, file->filter, filter_) != 0) {
            damaged_.push_back({path, 0, std::string("capture.filter: ") + ::pcap_geterr(handle)});
            bytes_done_ += file_size(path);
            continue;
        }
        file->records = PcapRecords::of(handle);
        file_ = std::move(file);
        return true;
    }
    if (next_path_ < paths_.size() && !stopped_) stopped_ = {paths_[next_path_], 0};
    return false;
}

// A stamp that no clock shows (pcapng has 64 bits for it, pcap a fraction that may be more than a second) counts as the
// time of the packet before it.
Timestamp CaptureReader::time_of(const pcap_pkthdr& header) {
    constexpr time_t kSecondsMax = time_t{1} << 33; // the year 2242: nanoseconds since the epoch end in 2262
    const auto fraction = header.ts.tv_usec;        // nanoseconds, as asked
    if (header.ts.tv_sec < 0 || header.ts.tv_sec > kSecondsMax || fraction < 0 || fraction >= kSecond) {
        ++wrong_times_;
        return std::max<Timestamp>(now_, 0);
    }
    return static_cast<Timestamp>(header.ts.tv_sec) * kSecond + fraction;
}

// A single stamp far ahead (a clock that was set) holds the time of all that follow: nothing times out until they are
// there. Captures that are given in the wrong order do the same. Both are for the summary.
void CaptureReader::note_late(Timestamp time) {
    if (now_ - time <= kLateAfter) return;
    ++late_;
    latest_ = std::max(latest_, now_ - time);
}

bool CaptureReader::asked_to_stop() const { return interrupt_ != nullptr && interrupt_->asked(); }

// The next packet of the file that passes the filter. False: the file is at its end, or damaged, which is noted.
bool CaptureReader::read(pcap_pkthdr& header, const std::uint8_t*& data) {
    do {
        if (file_->records) {
            const PcapRecords::Next result = file_->records->next(header, data);
            if (result == PcapRecords::Next::damaged)
                damaged_.push_back({file_->path, file_->packets, file_->records->damage()});
            if (result != PcapRecords::Next::packet) return false;
        } else {
            pcap_pkthdr* its_header = nullptr;
            const int result = ::pcap_next_ex(file_->handle, &its_header, &data);
            const bool cut = file_->pipe && file_->pipe->cut(); // maybe within a packet: not its fault
            if (result != 1 && cut) stopped_ = {file_->path, file_->packets};
            if (result == PCAP_ERROR && !cut)
                damaged_.push_back({file_->path, file_->packets, ::pcap_geterr(file_->handle)});
            if (result != 1) return false;
            header = *its_header;
        }
    } while (file_->filter.bf_insns != nullptr && ::pcap_offline_filter(&file_->filter, &header, data) == 0);
    return true;
}

bool CaptureReader::next(PacketView& packet) {
    pcap_pkthdr header{};
    const std::uint8_t* data = nullptr;
    if (file_ && !file_->pipe && asked_to_stop()) { // a pipe ends by itself
        stopped_ = {file_->path, file_->packets};
        return false;
    }
    while (!file_ || !read(header, data))
        if (!open_next()) return false;
    ++file_->packets;
    packet = PacketView{};
    packet.data = data;
    packet.captured = header.caplen;
    packet.length = std::max(header.len, header.caplen);
    packet.time = time_of(header);
    packet.now = now_ = std::max(now_, packet.time);
    note_late(packet.time);
    packet.number = ++number_;
    packet.link = file_->link;
    return true;
}

const std::shared_ptr<const MappedFile>& CaptureReader::memory() const {
    static const std::shared_ptr<const MappedFile> none;
    return file_ && file_->records ? file_->records->memory() : none;
}

std::uint64_t CaptureReader::bytes_read() const {
    if (file_ && file_->records) return bytes_done_ + file_->records->bytes_read();
    std::FILE* file = file_ ? ::pcap_file(file_->handle) : nullptr;
    const off_t at = file != nullptr ? ::ftello(file) : 0;
    return bytes_done_ + static_cast<std::uint64_t>(std::max<off_t>(at, 0));
}

} // namespace ftpsensor
