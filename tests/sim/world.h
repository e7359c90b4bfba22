// A world of the simulator: FTP sessions as hosts lead them, and as a port captured them, with the truth about both.
//
// Everything comes from the seed. The truth is what no sensor can know for sure: which connection was made for which
// command. A world is made by sessions.cpp, captured by capture.cpp and read by oracle.cpp. Plain values; one thread.
#pragma once

#include "core/packet/packet_view.h"
#include "tests/sim/random.h"
#include "tests/support/packet_builder.h"
#include "tests/support/tcp_talk.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace ftpsensor::test {

struct TrueFrame {
    Timestamp sent = 0;
    Timestamp time = 0; // captured: of a frame that came in time, `sent`
    std::size_t connection = 0;
    bool from_opener = false;
    std::uint8_t flags = 0; // of TCP
    std::uint32_t seq = 0;
    std::uint32_t payload = 0; // bytes
    bool again = false;        // a second copy
    Bytes bytes;
};

// What became of a data connection.
enum class Ending : std::uint8_t { orderly, reset, refused, open };

struct TrueConnection {
    TalkEnd from = {}, to = {};
    bool is_control = false;
    bool is_visitor = false; // a stranger's, beside the connection that was awaited
    std::vector<std::size_t> sessions =
        {}; // whose transfer it is; two: between two servers. First the one that connects
    std::vector<std::size_t> announcements = {}; // of it
    Ending ending = Ending::open;
    std::uint64_t lost = 0; // frames that were not captured
};

struct TrueAnnouncement {
    std::size_t session = 0;
    TalkEnd place = {};         // where it listens, on this wire
    IpAddress originator = {};  // who will connect
    bool is_translated = false; // another address was announced (NAT)
    Timestamp sent = 0;
};

struct TrueCommand {
    std::size_t session = 0;
    std::string file = {};                      // names the command in its entry
    std::optional<std::size_t> connection = {}; // that its entry has to name
    std::optional<std::size_t> untimely = {};   // its own, but sent too early or too late to be named
    std::vector<std::size_t> visitors = {};     // further ones to its endpoint
    std::uint64_t announced_bytes = 0;          // a transfer that moved fewer is not whole
};

struct World {
    bool is_clean = true;          // everything was captured, in order
    std::vector<TrueFrame> frames; // in the order of capture
    std::vector<TrueConnection> connections;
    std::vector<std::size_t> sessions; // their control connections
    std::vector<TrueAnnouncement> announcements;
    std::vector<TrueCommand> commands;

    std::vector<PacketView> views() const; // into this world

    using Ends = std::tuple<IpAddress, std::uint16_t, IpAddress, std::uint16_t>;
    std::map<Ends, std::size_t> by_ends; // connections, by who opened first
    // The connection between two ends, whoever opened it.
    std::optional<std::size_t> find(const TalkEnd& a, const TalkEnd& b) const;
};

World make_world(std::uint64_t seed);
void collect(const Trace& trace, World& world); // adds its frames, as they were sent
// What a tap makes of it: frames lost, late and twice, by dice of its own; each at a microsecond of its own.
void capture(World& world, Random& random);

} // namespace ftpsensor::test
