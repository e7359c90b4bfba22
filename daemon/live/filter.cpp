#include "daemon/live/filter.h"

#include "config/config.h"

#include <stdexcept>
#include <string_view>

#include <pcap/pcap.h>

namespace ftpsensor {
namespace {

constexpr int kSnapshot = 65535; // what a matching program returns; no bound of ours

// Names are asked for where the machine has them from, which may answer later: that is not the configuration's fault.
bool is_of_a_name(std::string_view error) {
    return error.find("unknown host") != error.npos || error.find("unknown network") != error.npos ||
           error.find("unknown ether host") != error.npos;
}

struct CloseHandle {
    void operator()(pcap_t* handle) const { pcap_close(handle); }
};

} // namespace

PacketFilter::PacketFilter(const std::string& expression) : program_(std::make_unique<bpf_program>()) {
    const std::unique_ptr<pcap_t, CloseHandle> handle(pcap_open_dead(DLT_EN10MB, kSnapshot));
    if (!handle) throw std::runtime_error("capture.filter: out of memory");
    if (pcap_compile(handle.get(), program_.get(), expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0) return;
    const std::string error = pcap_geterr(handle.get());
    const std::string sentence =
        "capture.filter: " + error + " in \"" + expression + "\"; try it with: tcpdump -d '" + expression + "'";
    if (is_of_a_name(error)) throw std::runtime_error(sentence);
    throw ConfigError(sentence);
}

PacketFilter::~PacketFilter() { pcap_freecode(program_.get()); }

bool PacketFilter::matches(const std::uint8_t* data, std::uint32_t captured, std::uint32_t length) const noexcept {
    return bpf_filter(program_->bf_insns, data, length, captured) != 0;
}

} // namespace ftpsensor
