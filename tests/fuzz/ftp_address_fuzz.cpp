// Fuzzes the readers of announced endpoints, and holds them against sscanf(3), strtol(3) and strchr(3), by which the
// reference reads (see core/ftp/address.h).
//
// An input: the text, which is given to all four.
#include "core/ftp/address.h"
#include "tests/fuzz/fuzz_input.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

using Endpoint = std::optional<AnnouncedEndpoint>;

std::optional<IpAddress> address_by_libc(const std::string& text) {
    if (text.find(':') != std::string::npos) return IpAddress::parse(text);
    int a = 0, b = 0, c = 0, d = 0, used = 0;
    if (std::sscanf(text.c_str(), "%d.%d.%d.%d%n", &a, &b, &c, &d, &used) != 4) return {};
    if (static_cast<std::size_t>(used) != text.size()) return {};
    for (const int octet : {a, b, c, d})
        if (octet < 0 || octet > 255) return {};
    const std::uint8_t octets[4] = {static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                                    static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(d)};
    return IpAddress::from_v4(octets);
}

Endpoint port_by_libc(const char* line, std::size_t size) {
    int n[6];
    if (size < 11) return {};
    if (std::sscanf(line, "%d,%d,%d,%d,%d,%d", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]) != 6) return {};
    for (const int octet : n)
        if (octet < 0 || octet > 255) return {};
    const std::uint8_t host[4] = {static_cast<std::uint8_t>(n[0]), static_cast<std::uint8_t>(n[1]),
                                  static_cast<std::uint8_t>(n[2]), static_cast<std::uint8_t>(n[3])};
    return AnnouncedEndpoint{IpAddress::from_v4(host), static_cast<std::uint16_t>(n[4] << 8 | n[5])};
}

Endpoint extended_by_libc(const char* line) {
    while (std::isspace(static_cast<unsigned char>(*line)) != 0) ++line;
    const char delimiter = *line;
    if (delimiter == '\0') return {};
    AnnouncedEndpoint endpoint;
    char* next = nullptr;
    std::strtol(++line, &next, 10);
    bool good = *next == delimiter;
    line = next;
    if (*line != '\0') ++line;
    if (*line != '\0' && *line != delimiter) {
        const char* end = std::strchr(line, delimiter);
        const auto host = address_by_libc(end != nullptr ? std::string(line, end) : std::string(line));
        good = host.has_value();
        if (host) endpoint.host = *host;
    }
    line = std::strchr(line, delimiter);
    if (line != nullptr) {
        const int port = static_cast<int>(std::strtol(line + 1, &next, 10)); // to an int, as there
        if (*next != delimiter || port < 0 || port > 65535) return {};
        endpoint.port = static_cast<std::uint16_t>(port);
    }
    return good ? Endpoint(endpoint) : Endpoint();
}

Endpoint pasv_by_libc(const std::string& text) {
    const char* const begin = text.c_str();
    const char* line = std::strchr(begin, '(');
    if (line != nullptr) {
        ++line;
    } else if (line = std::strstr(begin, "PORT"); line != nullptr) {
        line += 5;
    } else if (line = std::strchr(begin, ','); line != nullptr) {
        while (line > begin && std::isdigit(static_cast<unsigned char>(line[-1])) != 0) --line;
    }
    if (line == nullptr || line - begin > static_cast<std::ptrdiff_t>(text.size())) return {};
    return port_by_libc(line, std::strlen(line));
}

void check(const Endpoint& ours, const Endpoint& expected, const char* what) {
    require(ours.has_value() == expected.has_value(), what);
    if (ours) require(ours->host == expected->host && ours->port == expected->port, what);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto own = std::make_unique<char[]>(size); // without the NUL that a std::string has
    std::copy(text.begin(), text.end(), own.get());
    const std::string_view view(own.get(), size);
    const bool has_nul = text.find('\0') != std::string::npos; // the reference's strings would end there

    // A line holds what is before a NUL for sscanf, but counts whole.
    const Endpoint port = parse_port_argument(view);
    check(port, port_by_libc(text.c_str(), size), "PORT as sscanf reads it");
    if (!has_nul) {
        check(parse_eprt_argument(view), extended_by_libc(text.c_str()), "EPRT as strtol reads it");
        check(parse_pasv_reply(view), pasv_by_libc(text), "227 as sscanf reads it");
        const char* bracket = std::strchr(text.c_str(), '(');
        check(parse_epsv_reply(view), bracket != nullptr ? extended_by_libc(bracket + 1) : Endpoint(),
              "229 as strtol reads it");
    } else {
        require(!parse_eprt_argument(view) && !parse_pasv_reply(view) && !parse_epsv_reply(view), "no NUL");
    }
    return 0;
}
