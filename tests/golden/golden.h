// Golden tests: packets in memory through the real pipeline, and what the two logs then say.
//
//     Trace trace;
//     TcpTalk(trace).open().rst(Side::server);
//     CHECK(read(trace).show("conn", "conn_state history") == "RSTR ShAr");
//
// read() does what `ftpsensord read` does, with one thread and without files: workers, record channels, ordered merge,
// join, JSON lines. Unless a number of workers is asked for it reads the packets three times (one worker; three by
// addresses; three by addresses and ports), and the logs have to be the same, byte for byte. With
// FTPSENSOR_TEST_CAPTURES=DIRECTORY in the environment each capture is left there as a file. One thread.
#pragma once

#include "core/base/events.h"
#include "core/packet/decode.h"
#include "tests/support/capture_writer.h"
#include "tests/support/catch.h"
#include "tests/support/ftp_talk.h"
#include "tests/support/packet_builder.h"
#include "tests/support/tcp_talk.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ftpsensor::test {

struct Reading {
    bool extended = false;
    std::size_t workers = 0; // 0: with one and with three, see above
    ChecksumPolicy checksums = ChecksumPolicy::ignore;
    LinkType link = LinkType::ethernet;
    Duration interim = 0;               // log.conn.interim
    Duration reset_delay = 5 * kSecond; // timeouts.tcp_reset_delay
    bool ftp_only = false;              // log.conn.entries: ftp
    std::uint32_t interims_max = 4096;
    std::size_t first_bytes_max = 16 << 20; // limits.first_bytes
    std::uint32_t connections_max = 4096;   // limits.connections_max, a worker
    bool types_known = true; // a file's type is "STAGE/BYTES", e.g. "transferred/1024"; else none is known
};

// A record with a ClientHello, whose random bytes begin with `random`.
inline std::string client_hello(std::string random = {}) {
    random.resize(36);
    return std::string("\x16\x03\x01\x00\x2a\x01\x00\x00\x26\x03\x03", 11) + random;
}

// One line of a log. Values are text: as they stand in the log, without quotes; lists with commas; times (ts,
// _write_ts) in seconds since the Trace's default start, durations in seconds, both to the microsecond. "-": no such
// field.
class Entry {
public:
    explicit Entry(std::map<std::string, std::string, std::less<>> fields) : fields_(std::move(fields)) {}
    std::string operator[](std::string_view field) const;

private:
    std::map<std::string, std::string, std::less<>> fields_;
};

class Logs {
public:
    using Where = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    // The entries with these values, in the order of the log; and the only one, else std::logic_error.
    std::vector<Entry> entries(std::string_view log, Where where = {}) const;
    Entry entry(std::string_view log, Where where = {}) const;
    // The values of `fields` (names with a blank between them) in each entry: values with a blank between them, entries
    // with " | ".
    std::string show(std::string_view log, std::string_view fields, Where where = {}) const;

    std::uint64_t count(Event event) const { return events_[static_cast<std::size_t>(event)]; }

private:
    friend class Pipeline;
    std::map<std::string, std::vector<Entry>, std::less<>> logs_;
    std::array<std::uint64_t, kEventCount> events_{};
};

Logs read(const Trace& trace, const Reading& how = {});

} // namespace ftpsensor::test
