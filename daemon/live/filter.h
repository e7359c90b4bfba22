// capture.filter: a BPF expression in libpcap's language, run on every packet before anything else.
//
// The expression is compiled once by libpcap for Ethernet and interpreted by its bpf_filter(). Unlike a filter in the
// kernel or the port, what it leaves out is counted. As with tcpdump, `port 21` does not match a tagged frame; write
// `port 21 or (vlan and port 21)`. Immutable once made: any number of threads may call matches().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct bpf_program;

namespace ftpsensor {

class PacketFilter {
public:
    // Throws ConfigError ("capture.filter: syntax error …"), or std::runtime_error where a name in it is not known now.
    explicit PacketFilter(const std::string& expression);
    ~PacketFilter();
    PacketFilter(const PacketFilter&) = delete;
    PacketFilter& operator=(const PacketFilter&) = delete;

    // `length`: bytes on the wire; `captured` of them are at `data`.
    bool matches(const std::uint8_t* data, std::uint32_t captured, std::uint32_t length) const noexcept;

private:
    std::unique_ptr<bpf_program> program_;
};

} // namespace ftpsensor
