#include "daemon/live/service_unit.h"

#include "core/base/ip_address.h"
#include "daemon/live/af_xdp.h"
#include "daemon/live/service_user.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

namespace ftpsensor {
namespace {

constexpr const char* kServiceLogs = "/var/log/ftpsensor";

std::string unit_of(const std::string& config_path) {
    const std::filesystem::path path(config_path);
    const std::string name = path.stem().string();
    const bool is_own = name == kService || path.parent_path().filename() != kService;
    return is_own ? kService : fmt::format("{}@{}", kService, name);
}

bool is_within(const std::string& path, const std::string& folder) {
    const std::string plain = std::filesystem::path(path).lexically_normal().string();
    return plain.starts_with(folder) && (plain.size() == folder.size() || plain[folder.size()] == '/');
}

bool is_loopback(const std::string& address) {
    static const IpNetwork ipv4 = *IpNetwork::parse("127.0.0.0/8");
    static const IpNetwork ipv6 = *IpNetwork::parse("::1/128");
    const std::optional<IpAddress> parsed = IpAddress::parse(address);
    return parsed && (ipv4.contains(*parsed) || ipv6.contains(*parsed));
}

// A word of a filter with a dot and a letter is one that pcap-filter(7) asks a name server for; addresses have no
// letters, or colons. "": none.
std::string name_in(const std::string& filter) {
    const auto ends_word = [](unsigned char c) {
        return std::isspace(c) != 0 || std::string_view("()!&|").find(static_cast<char>(c)) != std::string_view::npos;
    };
    for (auto begin = filter.begin(); begin != filter.end();) {
        begin = std::find_if_not(begin, filter.end(), ends_word);
        const auto end = std::find_if(begin, filter.end(), ends_word);
        const std::string word(begin, end);
        const bool has_letter = std::any_of(begin, end, [](unsigned char c) { return std::isalpha(c) != 0; });
        if (has_letter && word.find('.') != word.npos && word.find(':') == word.npos) return word;
        begin = end;
    }
    return {};
}

} // namespace

void check_service_unit(const Config& config, const std::string& config_path, Notes& notes) {
    const std::string unit = unit_of(config_path);
    if (unit == kService && !is_within(config.log.directory, kServiceLogs))
        add_note(notes, NoteLevel::warning,
                 fmt::format("log.directory: the unit {} may write below {}, not to {}", unit, kServiceLogs,
                             config.log.directory),
                 fmt::format("install -d -m 0750 -o {0} -g {0} {1}, and by systemctl edit {2}: [Service] "
                             "ReadWritePaths={1}",
                             kServiceUser, config.log.directory, unit));
    if (config.metrics.port != 0 && !is_loopback(config.metrics.address))
        add_note(notes, NoteLevel::warning,
                 fmt::format("metrics.address: {} is not loopback, and the unit {} answers the host itself alone",
                             config.metrics.address, unit),
                 fmt::format("by systemctl edit {}: [Service] IPAddressAllow= and the scraper's address", unit));
    if (const std::string name = name_in(config.capture.filter); !name.empty())
        add_note(notes, NoteLevel::warning,
                 fmt::format(
                     "capture.filter: the unit {} reaches name servers of the host itself alone, which may not know {}",
                     unit, name),
                 fmt::format("its address in the filter or in /etc/hosts; or by systemctl edit {}: [Service] "
                             "IPAddressAllow= and the name server's address",
                             unit));
    for (const PortConfig& port : config.capture.ports)
        if (!port.af_xdp.empty())
            add_note(
                notes, NoteLevel::warning,
                fmt::format("{}: the unit {} has neither CAP_BPF nor bpf(2), which AF_XDP needs", port.af_xdp, unit),
                allow_af_xdp(unit));
}

Config as_service(Config config, const std::string& config_path) {
    if (unit_of(config_path) == kService) return config;
    const std::string folder = fmt::format("{}-{}", kService, std::filesystem::path(config_path).stem().string());
    config.log.directory = "/var/log/" + folder;
    config.metrics.socket = "/run/" + folder + "/stats.sock";
    return config;
}

} // namespace ftpsensor
