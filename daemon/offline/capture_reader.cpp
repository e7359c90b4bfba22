#include "daemon/offline/capture_reader.h"

#include "daemon/offline/pcap_records.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <stdexcept>

#include <pcap/pcap.h>
#include <sys/stat.h>

namespace ftpsensor {

namespace {

LinkType link_type(int dlt) {
    switch (dlt) {
    case DLT_EN10MB: return LinkType::ethernet;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6: return LinkType::raw_ip;
    case DLT_NULL: return LinkType::null_host;
    case DLT_LOOP: return LinkType::loop_network;
    case DLT_LINUX_SLL: return LinkType::linux_cooked;
    case DLT_LINUX_SLL2: return LinkType::linux_cooked2;
    case DLT_PPP: return LinkType::ppp;
    case DLT_PPP_SERIAL: return LinkType::ppp_serial;
    case DLT_PPP_ETHER: return LinkType::pppoe;
    case DLT_FDDI: return LinkType::fddi;
    case DLT_IEEE802_11: return LinkType::ieee802_11;
    case DLT_IEEE802_11_RADIO: return LinkType::radiotap;
    case DLT_NFLOG: return LinkType::nflog;
    default: return LinkType::unknown;
    }
}

std::uint64_t file_size(const std::string& path) {
    struct stat status {};
    if (path == "-" || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    return static_cast<std::uint64_t>(status.st_size);
}

} // namespace

struct CaptureReader::File {
    File(std::string p, pcap_t* h) : path(std::move(p)), handle(h) {}
    ~File() {
        ::pcap_freecode(&filter);
        ::pcap_close(handle);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    std::string path;
    pcap_t* handle;
    std::optional<PcapRecords> records; // else libpcap reads them
    bpf_program filter{};
    LinkType link = LinkType::unknown;
    std::uint64_t packets = 0;
};

CaptureReader::CaptureReader(std::vector<std::string> paths, std::string filter)
    : paths_(std::move(paths)), filter_(std::move(filter)) {
    for (const auto& path : paths_) bytes_total_ += file_size(path);
}

CaptureReader::~CaptureReader() = default;

bool CaptureReader::open_next() {
    if (file_) bytes_done_ += file_size(file_->path);
    file_.reset();
    while (next_path_ < paths_.size()) {
        const std::string& path = paths_[next_path_++];
        char error[PCAP_ERRBUF_SIZE] = "";
        pcap_t* handle = ::pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
        if (handle == nullptr) {
            damaged_.push_back({path, 0, error});
            bytes_done_ += file_size(path);
            continue;
        }
        file_ = std::make_unique<File>(path, handle);
        file_->link = link_type(::pcap_datalink(handle));
        if (!filter_.empty() && ::pcap_compile(handle, &file_->filter, filter_.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
            throw std::runtime_error("capture.filter: " + std::string(::pcap_geterr(handle)) + " in \"" + filter_ +
                                     "\"");
        file_->records = PcapRecords::of(handle);
        return true;
    }
    return false;
}

// A stamp that no clock shows (pcapng has 64 bits for it) counts as the time of the packet before it.
Timestamp CaptureReader::time_of(const pcap_pkthdr& header) {
    constexpr time_t kSecondsMax = time_t{1} << 33; // the year 2242: nanoseconds since the epoch end in 2262
    if (header.ts.tv_sec < 0 || header.ts.tv_sec > kSecondsMax) {
        ++wrong_times_;
        return std::max<Timestamp>(now_, 0);
    }
    return static_cast<Timestamp>(header.ts.tv_sec) * kSecond + header.ts.tv_usec; // nanoseconds, as asked
}

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
            if (result == PCAP_ERROR) damaged_.push_back({file_->path, file_->packets, ::pcap_geterr(file_->handle)});
            if (result != 1) return false;
            header = *its_header;
        }
    } while (file_->filter.bf_insns != nullptr && ::pcap_offline_filter(&file_->filter, &header, data) == 0);
    return true;
}

bool CaptureReader::next(PacketView& packet) {
    pcap_pkthdr header{};
    const std::uint8_t* data = nullptr;
    while (!file_ || !read(header, data))
        if (!open_next()) return false;
    ++file_->packets;
    packet = PacketView{};
    packet.data = data;
    packet.captured = header.caplen;
    packet.length = std::max(header.len, header.caplen);
    packet.time = time_of(header);
    packet.now = now_ = std::max(now_, packet.time);
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
